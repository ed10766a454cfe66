package org.bergfried.worker.trunk;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// The final norm and the head, for the rows that want logits.
final class Head {
    private final Backend backend;
    private final StepRows step;
    private final int hiddenSize;
    private final int vocabularySize;
    private final float normEpsilon;
    private final float factor; // of the logits

    private final Matrix norm; // [1, hiddenSize]
    private final Matrix proj; // [vocabularySize, hiddenSize]

    private final Operand gathered; // [wanted, hiddenSize]
    private final Buffer logits; // float32 [wanted, vocabularySize]
    private final MemorySegment hostLogits; // its twin

    Head(TrunkCore core, Matrix norm, Matrix proj) {
        backend = core.backend();
        step = core.step();
        hiddenSize = core.spec().hiddenSize();
        vocabularySize = core.spec().vocabularySize();
        normEpsilon = core.spec().normEpsilon();
        factor = core.spec().multipliers().logits();
        this.norm = norm;
        this.proj = proj;
        Memory memory = core.memory().head();
        gathered = new Operand(backend, memory.gathered, memory.gatheredCodes);
        logits = memory.logits;
        hostLogits = memory.hostLogits;
    }

    /// Waits for the step's end. Logits: float32 `[wanted, vocabularySize]`; a NaN among them poisons its sequence.
    ///
    /// @param hidden float32 `[n, hiddenSize]`, the residual stream after the last layer.
    MemorySegment run(Rows hidden) {
        int wanted = step.wantedCount();
        MemorySegment result = hostLogits.asSlice(0, (long) wanted * vocabularySize * Float.BYTES);
        if (wanted == 0) {
            backend.await();
            return result;
        }
        Rows rows = gathered.rewrite();
        backend.gather(hidden, step.wanted(), wanted, hiddenSize, rows);
        backend.rmsNorm(rows, wanted, norm, normEpsilon, rows);
        gathered.multiply(proj, wanted, Rows.of(logits, vocabularySize));
        if (factor != 1) {
            backend.scale(Rows.of(logits, vocabularySize), wanted, vocabularySize, factor);
        }
        backend.read(logits, 0, result);
        for (int i = 0; i < wanted; i++) {
            if (hasNan(result, (long) i * vocabularySize)) {
                step.poison(step.wantedRow(i));
            }
        }
        return result;
    }

    private boolean hasNan(MemorySegment values, long from) {
        boolean found = false;
        for (long i = from; i < from + vocabularySize; i++) {
            found |= Float.isNaN(values.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        return found;
    }

    /// @param gathered float32 `[logitsMax, hiddenSize]`, and its codes.
    /// @param logits   float32 `[logitsMax, vocabularySize]`, with a twin on the host.
    record Memory(Rows gathered, Codes gatheredCodes, Buffer logits, MemorySegment hostLogits) {
        static Memory allocate(Allocator allocator, int hiddenSize, int vocabularySize, int logitsMax) {
            long elements = (long) logitsMax * vocabularySize;
            return new Memory(
                    allocator.rows(logitsMax, hiddenSize),
                    allocator.codes(logitsMax, hiddenSize),
                    allocator.floats(elements),
                    allocator.host(elements * Float.BYTES));
        }
    }
}
