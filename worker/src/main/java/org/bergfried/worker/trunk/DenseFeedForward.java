package org.bergfried.worker.trunk;

import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// A SwiGLU (Shazeer 2020): the feed-forward part of a dense layer, and the shared expert of a mixture.
final class DenseFeedForward implements FeedForward {
    private final Backend backend;
    private final StepRows step;
    private final int columns; // of the inner activation

    private final Matrix gateProj; // [columns, hiddenSize]
    private final Matrix upProj; // [columns, hiddenSize]
    private final Matrix downProj; // [hiddenSize, columns]

    private final Rows up; // [n, columns]
    private final Operand inner; // [n, columns]: the gate, then silu(gate) * up in its place

    DenseFeedForward(TrunkCore core, TrunkTensors.SwiGlu tensors, int columns) {
        backend = core.backend();
        step = core.step();
        this.columns = columns;
        gateProj = core.matrices().load(tensors.gateProj());
        upProj = core.matrices().load(tensors.upProj());
        downProj = core.matrices().load(tensors.downProj());
        Memory memory = core.memory().dense();
        up = Rows.of(memory.up, columns);
        inner = new Operand(backend, Rows.of(memory.inner, columns), memory.innerCodes.withColumns(columns));
    }

    @Override
    public void run(Operand normed, Rows y) {
        int n = step.count();
        Rows gate = inner.rewrite();
        normed.multiply(gateProj, n, gate);
        normed.multiply(upProj, n, up);
        backend.swiglu(gate, up, n, columns, gate);
        inner.multiply(downProj, n, y);
    }

    /// Memory that all dense layers and shared experts use in turn; `columns` is the widest of them.
    ///
    /// @param inner float32 `[rowsMax, columns]`, and its codes.
    /// @param up    float32 `[rowsMax, columns]`.
    record Memory(Buffer inner, Codes innerCodes, Buffer up) {
        static Memory allocate(Allocator allocator, int columns, int rowsMax) {
            return new Memory(
                    allocator.floats((long) rowsMax * columns),
                    allocator.codes(rowsMax, columns),
                    allocator.floats((long) rowsMax * columns));
        }
    }
}
