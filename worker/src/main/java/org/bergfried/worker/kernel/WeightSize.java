package org.bergfried.worker.kernel;

import org.bergfried.worker.tensor.StoredTensor;

/// How much of a backend's own memory a weight matrix will take, known before it is loaded.
@FunctionalInterface
public interface WeightSize {
    /// On the CPU: integer-coded types are re-laid into tiles of 32 rows, float types stay where they are if that is
    /// off the heap.
    WeightSize HOST = tensor -> {
        if (!tensor.type().integerCoded()) {
            return tensor.bytes().isNative() ? 0 : tensor.bytes().byteSize();
        }
        long tileRows = (tensor.rows() + 31L) / 32 * 32; // missing rows of a tile are zero bytes
        return tileRows * tensor.type().rowBytes(tensor.columns());
    };

    /// Bytes of one matrix.
    long residentBytes(StoredTensor tensor);
}
