package org.bergfried.worker.trunk;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Loads the trunk's tensors into the backend and gives them back together.
final class TrunkMatrices implements AutoCloseable {
    private final Backend backend;
    private final List<Matrix> loaded = new ArrayList<>();

    TrunkMatrices(Backend backend) {
        this.backend = backend;
    }

    Matrix load(StoredTensor tensor) {
        Matrix matrix = backend.load(tensor);
        loaded.add(matrix);
        return matrix;
    }

    List<Matrix> load(List<StoredTensor> tensors) {
        return tensors.stream().map(this::load).toList();
    }

    @Nullable
    Matrix loadIfPresent(@Nullable StoredTensor tensor) {
        return tensor == null ? null : load(tensor);
    }

    /// Bytes of memory that the loaded matrices hold; what stays mapped counts nothing.
    long residentBytes() {
        return loaded.stream().mapToLong(Matrix::residentBytes).sum();
    }

    @Override
    public void close() {
        loaded.forEach(Matrix::close);
        loaded.clear();
    }
}
