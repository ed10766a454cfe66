package org.bergfried.worker.dispatch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.Activation;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// The obvious dispatcher: computes the experts of one row after the other on a backend and adds up ARITHMETIC.md's
/// rule F in plain longs. Nothing is computed before [#combine], so rows that change too early change the result. The
/// oracle of every faster dispatcher.
public final class LocalExperts implements Dispatcher {
    private final Backend backend;
    private final Model model;
    private final int hiddenSize;
    private final Map<Key, Expert> experts = new HashMap<>();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment output; // float32 [hiddenSize]
    private final Buffer x; // float32 [1, hiddenSize]
    private final Buffer y; // float32 [1, hiddenSize]
    private final Codes codes; // [1, hiddenSize]
    private @Nullable Assignment pending;

    private record Key(int layer, int expert) {}

    private record Expert(
            Matrix gateProj, Matrix upProj, Matrix downProj, List<Matrix> biases, Activation activation) {}

    /// Experts of a model, computed on a backend.
    public LocalExperts(Backend backend, Model model) {
        this.backend = backend;
        this.model = model;
        hiddenSize = model.spec().hiddenSize();
        output = arena.allocate((long) hiddenSize * Float.BYTES, 64);
        x = backend.allocate((long) hiddenSize * Float.BYTES);
        y = backend.allocate((long) hiddenSize * Float.BYTES);
        codes = backend.allocateCodes(1, hiddenSize);
    }

    @Override
    public void beginStep(long step) {
        requireNothingPending();
    }

    @Override
    public void dispatch(Assignment assignment) {
        requireNothingPending();
        pending = assignment;
    }

    private void requireNothingPending() {
        if (pending != null) {
            throw new IllegalStateException("the last dispatch was not combined");
        }
    }

    @Override
    public void combine(MemorySegment sums, MemorySegment poisoned) {
        Assignment assignment = pending;
        if (assignment == null) {
            throw new IllegalStateException("nothing was dispatched");
        }
        pending = null;
        for (int row = 0; row < assignment.n(); row++) {
            long[] sum = new long[hiddenSize];
            boolean bad = false;
            for (int i = 0; i < assignment.chosen(); i++) {
                long at = (long) row * assignment.chosen() + i;
                int expert = assignment.ids().getAtIndex(ValueLayout.JAVA_INT, at);
                float weight = assignment.weights().getAtIndex(ValueLayout.JAVA_FLOAT, at);
                compute(expert(assignment.layer(), expert), assignment.rows(), row);
                bad |= addTerms(weight, sum);
            }
            MemorySegment.copy(sum, 0, sums, ValueLayout.JAVA_LONG, (long) row * hiddenSize * Long.BYTES, hiddenSize);
            poisoned.setAtIndex(ValueLayout.JAVA_INT, row, bad ? 1 : 0);
        }
    }

    private Expert expert(int layer, int expert) {
        return experts.computeIfAbsent(new Key(layer, expert), key -> {
            TrunkTensors.SwiGlu tensors = model.expert(layer, expert);
            TrunkTensors.Biases biases = tensors.biases();
            return new Expert(
                    backend.load(tensors.gateProj()),
                    backend.load(tensors.upProj()),
                    backend.load(tensors.downProj()),
                    biases == null
                            ? List.of()
                            : Stream.of(biases.gate(), biases.up(), biases.down())
                                    .map(backend::load)
                                    .toList(),
                    ((FeedForwardSpec.Moe) model.spec().layers().get(layer)).activation());
        });
    }

    /// The expert's output for one row, into `output`.
    private void compute(Expert expert, RowData rows, int row) {
        boolean quantised = load(rows, row);
        int columns = expert.gateProj().rows();
        Buffer gate = backend.allocate(columns * 4L);
        Buffer up = backend.allocate(columns * 4L);
        Codes inner = backend.allocateCodes(1, columns);
        multiply(expert.gateProj(), Rows.of(x, hiddenSize), codes, quantised, Rows.of(gate, columns));
        multiply(expert.upProj(), Rows.of(x, hiddenSize), codes, quantised, Rows.of(up, columns));
        addBias(expert, 0, Rows.of(gate, columns));
        addBias(expert, 1, Rows.of(up, columns));
        Rows activated = Rows.of(gate, columns);
        backend.activate(expert.activation(), activated, Rows.of(up, columns), 1, columns, activated);
        multiply(expert.downProj(), activated, inner, false, Rows.of(y, hiddenSize));
        addBias(expert, 2, Rows.of(y, hiddenSize));
        backend.read(y, 0, output);
        backend.free(gate);
        backend.free(up);
        backend.free(inner.q());
        backend.free(inner.scales());
    }

    private void addBias(Expert expert, int which, Rows to) {
        if (!expert.biases().isEmpty()) {
            backend.addBias(to, 1, expert.biases().get(which));
        }
    }

    /// Brings one row to the backend; true if it came quantised.
    private boolean load(RowData rows, int row) {
        return switch (rows) {
            case RowData.Quantised quantised -> {
                backend.write(slice(quantised.q(), row, hiddenSize), codes.q(), 0);
                backend.write(slice(quantised.scales(), row, hiddenSize / 32 * 4L), codes.scales(), 0);
                yield true;
            }
            case RowData.Floats floats -> {
                backend.write(slice(floats.values(), row, hiddenSize * 4L), x, 0);
                yield false;
            }
        };
    }

    private void multiply(Matrix w, Rows from, Codes fromCodes, boolean quantised, Rows to) {
        if (w.type().integerCoded() && !quantised) {
            backend.quantise(from, 1, fromCodes);
        }
        backend.multiply(w, from, fromCodes, 1, to);
    }

    private static MemorySegment slice(MemorySegment rows, int row, long rowBytes) {
        return rows.asSlice(row * rowBytes, rowBytes);
    }

    /// Adds the terms of one expert; true if one of them is not finite or too large.
    private boolean addTerms(float weight, long[] sum) {
        boolean bad = false;
        for (int i = 0; i < hiddenSize; i++) {
            float term = weight * output.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (Math.abs(term) < 0x1p24f) {
                sum[i] += (long) Math.rint((double) term * 0x1p32);
            } else {
                bad = true;
            }
        }
        return bad;
    }

    @Override
    public void close() {
        arena.close();
    }
}
