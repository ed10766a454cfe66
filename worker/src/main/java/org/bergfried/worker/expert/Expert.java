package org.bergfried.worker.expert;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.model.TrunkTensors.SwiGlu;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// The loaded matrices of one expert. The store counts who uses it; the last one to let go of an evicted expert frees
/// it.
final class Expert {
    final int layer;
    final int index;
    final Matrix gate; // [columns, hiddenSize]
    final Matrix up; // [columns, hiddenSize]
    final Matrix down; // [hiddenSize, columns]
    final @Nullable Biases biases;
    boolean evicted; // guarded by the store
    int users; // guarded by the store
    long leavingBytes; // of one that was installed, from its eviction on; guarded by the store
    final CompletableFuture<Void> freed = new CompletableFuture<>();
    final long weightBytes; // what it takes of memory, its own or a file's mapping
    private final @Nullable ExpertCopies copies; // what its matrices may lie in

    /// Biases, `[1, columns]` twice and `[1, hiddenSize]`.
    record Biases(Matrix gate, Matrix up, Matrix down) {
        private List<Matrix> all() {
            return List.of(gate, up, down);
        }
    }

    private Expert(int layer, int index, List<Matrix> matrices, long weightBytes, @Nullable ExpertCopies copies) {
        this.weightBytes = weightBytes;
        this.copies = copies;
        this.layer = layer;
        this.index = index;
        gate = matrices.get(0);
        up = matrices.get(1);
        down = matrices.get(2);
        biases = matrices.size() == 3 ? null : new Biases(matrices.get(3), matrices.get(4), matrices.get(5));
    }

    /// Loads all matrices or none.
    ///
    /// @param copies closed with the expert or if this fails; null if the tensors are those of the model's files.
    static Expert load(Backend backend, int layer, int index, SwiGlu tensors, @Nullable ExpertCopies copies) {
        var loaded = new ArrayList<Matrix>();
        try {
            for (StoredTensor tensor : tensors.tensors()) {
                loaded.add(backend.load(tensor));
            }
        } catch (RuntimeException e) {
            loaded.forEach(Matrix::close);
            close(copies);
            throw e;
        }
        long bytes = tensors.tensors().stream()
                .mapToLong(backend.weightSize()::weightBytes)
                .sum();
        return new Expert(layer, index, loaded, bytes, copies);
    }

    /// Whether nothing of it lies in a file any more.
    boolean isPrivate() {
        return matrices().stream().allMatch(matrix -> matrix.residentBytes() > 0);
    }

    private List<Matrix> matrices() {
        var all = new ArrayList<>(List.of(gate, up, down));
        if (biases != null) {
            all.addAll(biases.all());
        }
        return all;
    }

    void close() {
        matrices().forEach(Matrix::close);
        close(copies);
    }

    private static void close(@Nullable ExpertCopies copies) {
        if (copies != null) {
            copies.close();
        }
    }
}
