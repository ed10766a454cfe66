package org.bergfried.worker.expert;

import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.model.TrunkTensors.SwiGlu;
import org.bergfried.worker.tensor.StoredTensor;

/// The loaded matrices of one expert. The store counts who uses it; the last one to let go of an evicted expert frees
/// it.
final class Expert {
    private static final int TILE_ROWS = 32; // ARITHMETIC.md "Layout": missing rows of a tile are zero bytes

    final int layer;
    final int index;
    final Matrix gate; // [columns, hiddenSize]
    final Matrix up; // [columns, hiddenSize]
    final Matrix down; // [hiddenSize, columns]
    boolean evicted; // guarded by the store
    int users; // guarded by the store

    private Expert(int layer, int index, Matrix gate, Matrix up, Matrix down) {
        this.layer = layer;
        this.index = index;
        this.gate = gate;
        this.up = up;
        this.down = down;
    }

    /// Loads all three or none.
    static Expert load(Backend backend, int layer, int index, SwiGlu tensors) {
        Matrix gate = backend.load(tensors.gateProj());
        try {
            Matrix up = backend.load(tensors.upProj());
            try {
                return new Expert(layer, index, gate, up, backend.load(tensors.downProj()));
            } catch (RuntimeException e) {
                up.close();
                throw e;
            }
        } catch (RuntimeException e) {
            gate.close();
            throw e;
        }
    }

    /// Bytes of the backend's memory that an expert will take when it is loaded.
    static long residentBytes(SwiGlu tensors) {
        return residentBytes(tensors.gateProj()) + residentBytes(tensors.upProj()) + residentBytes(tensors.downProj());
    }

    private static long residentBytes(StoredTensor tensor) {
        if (!tensor.type().integerCoded()) {
            return tensor.bytes().isNative() ? 0 : tensor.bytes().byteSize();
        }
        long tiles = (tensor.rows() + TILE_ROWS - 1L) / TILE_ROWS;
        return tiles * TILE_ROWS * tensor.type().rowBytes(tensor.columns());
    }

    long residentBytes() {
        return gate.residentBytes() + up.residentBytes() + down.residentBytes();
    }

    void close() {
        gate.close();
        up.close();
        down.close();
    }
}
