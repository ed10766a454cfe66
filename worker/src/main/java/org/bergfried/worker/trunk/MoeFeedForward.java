package org.bergfried.worker.trunk;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.dispatch.Dispatcher.Assignment;
import org.bergfried.worker.dispatch.Dispatcher.RowData;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// A mixture of experts: the gate chooses, the dispatcher takes each row to its experts wherever they live, the
/// shared expert runs meanwhile, and the fixed-point sums that come back (ARITHMETIC.md rule F) make the result the
/// same however the experts are spread.
final class MoeFeedForward implements FeedForward {
    private final Backend backend;
    private final Dispatcher dispatcher;
    private final StepRows step;
    private final int layer;
    private final int hiddenSize;
    private final GateShape shape;
    private final boolean expertsTakeCodes;

    private final Matrix gate; // [experts, hiddenSize], float
    private final @Nullable Matrix gateBias; // [1, experts]
    private final @Nullable Matrix logitBias; // [1, experts]
    private final @Nullable DenseFeedForward shared;
    private final @Nullable Matrix sharedGate; // [1, hiddenSize]

    private final Memory memory;
    private final Rows scores; // [n, experts]

    /// @param expert one of the layer's experts: all are coded alike.
    MoeFeedForward(
            TrunkCore core,
            Dispatcher dispatcher,
            int layer,
            FeedForwardSpec.Moe spec,
            TrunkTensors.Moe tensors,
            TrunkTensors.SwiGlu expert) {
        backend = core.backend();
        this.dispatcher = dispatcher;
        step = core.step();
        this.layer = layer;
        hiddenSize = core.spec().hiddenSize();
        shape = spec.gate();
        expertsTakeCodes = expert.gateProj().type().integerCoded()
                && expert.upProj().type().integerCoded();
        gate = core.matrices().load(tensors.gate());
        gateBias = core.matrices().loadIfPresent(tensors.bias());
        logitBias = core.matrices().loadIfPresent(tensors.logitBias());
        sharedGate = core.matrices().loadIfPresent(tensors.sharedGate());
        shared = tensors.shared() == null ? null : new DenseFeedForward(core, tensors.shared(), spec.sharedColumns());
        memory = core.memory().moe();
        scores = Rows.of(memory.scores, shape.experts());
    }

    @Override
    public void run(Operand normed, Rows y) {
        int n = step.count();
        normed.multiply(gate, n, scores);
        if (logitBias != null) {
            backend.addBias(scores, n, logitBias);
        }
        backend.gate(shape, scores, gateBias, n, memory.ids, memory.weights);
        dispatcher.dispatch(assignment(normed, n));
        if (shared != null) {
            shared.run(normed, memory.sharedOutput);
            weighShared(normed, n);
        }
        combine(n, y);
        if (shared != null) {
            backend.add(y, memory.sharedOutput, n, hiddenSize);
        }
    }

    private void weighShared(Operand normed, int n) {
        if (sharedGate != null) {
            normed.multiply(sharedGate, n, memory.sharedLogit);
            backend.scaleBySigmoid(memory.sharedOutput, n, hiddenSize, memory.sharedLogit);
        }
    }

    /// Waits for the gate and brings its choice and the rows to the host.
    private Assignment assignment(Operand normed, int n) {
        if (expertsTakeCodes) {
            normed.codes(n);
        }
        long choiceBytes = (long) n * shape.chosen() * Integer.BYTES;
        MemorySegment ids = read(memory.ids, memory.hostIds, choiceBytes);
        MemorySegment weights = read(memory.weights, memory.hostWeights, choiceBytes);
        RowData rows = expertsTakeCodes ? codes(normed.codes(n), n) : floats(normed.rows(), n);
        return new Assignment(layer, n, shape.chosen(), ids, weights, rows);
    }

    private RowData codes(Codes codes, int n) {
        MemorySegment q = read(codes.q(), memory.hostRows, (long) n * hiddenSize);
        MemorySegment scales = read(codes.scales(), memory.hostScales, (long) n * (hiddenSize / 32) * Float.BYTES);
        return new RowData.Quantised(q, scales);
    }

    private RowData floats(Rows rows, int n) {
        return new RowData.Floats(read(rows.buffer(), memory.hostRows, (long) n * hiddenSize * Float.BYTES));
    }

    private MemorySegment read(Buffer buffer, MemorySegment host, long bytes) {
        MemorySegment target = host.asSlice(0, bytes);
        backend.read(buffer, 0, target);
        return target;
    }

    /// Waits for the experts: `y = float(sums) * 2^-32`.
    private void combine(int n, Rows y) {
        MemorySegment sums = memory.hostSums.asSlice(0, (long) n * hiddenSize * Long.BYTES);
        MemorySegment poisoned = memory.hostPoisoned.asSlice(0, (long) n * Integer.BYTES);
        dispatcher.combine(sums, poisoned);
        for (int row = 0; row < n; row++) {
            if (poisoned.getAtIndex(ValueLayout.JAVA_INT, row) != 0) {
                step.poison(row);
            }
        }
        backend.write(sums, memory.sums, 0);
        backend.combine(memory.sums, n, hiddenSize, y);
    }

    /// Memory that all mixture layers use in turn, made for the widest of them.
    ///
    /// @param scores       float32 `[rowsMax, experts]`.
    /// @param ids          int32 `[rowsMax, chosen]`; `hostIds` is its twin on the host, likewise the next ones.
    /// @param weights      float32 `[rowsMax, chosen]`.
    /// @param sums         int64 `[rowsMax, hiddenSize]`.
    /// @param sharedOutput float32 `[rowsMax, hiddenSize]`.
    /// @param sharedLogit  float32 `[rowsMax, 1]`, what weighs it.
    /// @param hostRows     float32 or int8 `[rowsMax, hiddenSize]`.
    /// @param hostScales   float32 `[rowsMax, hiddenSize / 32]`.
    /// @param hostPoisoned int32 `[rowsMax]`.
    record Memory(
            Buffer scores,
            Buffer ids,
            Buffer weights,
            Buffer sums,
            Rows sharedOutput,
            Rows sharedLogit,
            MemorySegment hostIds,
            MemorySegment hostWeights,
            MemorySegment hostRows,
            MemorySegment hostScales,
            MemorySegment hostSums,
            MemorySegment hostPoisoned) {
        static Memory allocate(Allocator allocator, int hiddenSize, int experts, int chosen, int rowsMax) {
            long rows = rowsMax;
            return new Memory(
                    allocator.floats(rows * experts),
                    allocator.ints(rows * chosen),
                    allocator.floats(rows * chosen),
                    allocator.longs(rows * hiddenSize),
                    allocator.rows(rowsMax, hiddenSize),
                    allocator.rows(rowsMax, 1),
                    allocator.host(rows * chosen * Integer.BYTES),
                    allocator.host(rows * chosen * Float.BYTES),
                    allocator.host(rows * hiddenSize * Float.BYTES),
                    allocator.host(rows * (hiddenSize / 32) * Float.BYTES),
                    allocator.host(rows * hiddenSize * Long.BYTES),
                    allocator.host(rows * Integer.BYTES));
        }
    }
}
