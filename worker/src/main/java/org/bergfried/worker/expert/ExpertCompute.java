package org.bergfried.worker.expert;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.worker.kernel.Activation;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// Computes rows times their experts: groups the rows by expert, gathers, multiplies as a matrix, and adds the
/// weighted
/// outputs in fixed point (ARITHMETIC.md rule F). Memory is made at start for `rowsMax` rows. One thread owns it.
final class ExpertCompute implements AutoCloseable {
    private final Backend backend;
    private final int columns; // hiddenSize
    private final Activation activation;
    private final Arena arena = Arena.ofShared();

    private final Codes codes; // the batch's rows where they are quantised: [rowsMax, columns]
    private final Buffer values; // the batch's rows where they are floats: f32 [rowsMax, columns]
    private final Codes gatheredCodes; // rows of one expert
    private final Buffer gatheredValues; // rows of one expert: f32 [rowsMax, columns]
    private final Buffer gate; // f32 [rowsMax, expertColumns], then the inner activation
    private final Buffer up; // f32 [rowsMax, expertColumns]
    private final Codes innerCodes; // [rowsMax, expertColumns]
    private final Buffer down; // f32 [rowsMax, columns]
    private final Buffer index; // i32 [rowsMax]
    private final Buffer weights; // f32 [rowsMax]
    private final Buffer sums; // i64 [rowsMax, columns]
    private final Buffer poisoned; // i32 [rowsMax]

    private final MemorySegment hostIndex; // i32 [rowsMax]
    private final MemorySegment hostWeights; // f32 [rowsMax]
    private final MemorySegment hostSums; // i64 [rowsMax, columns]
    private final MemorySegment hostPoisoned; // i32 [rowsMax]

    private final int[] rowsOfExpert; // [expertsPerLayer + 1] counts, then ends
    private int[] sortedRows = new int[0]; // rows of the batch, grouped by expert
    private float[] sortedWeights = new float[0];

    ExpertCompute(Backend backend, ModelSpec spec, int expertsPerLayer, int rowsMax) {
        this.backend = backend;
        this.columns = spec.hiddenSize();
        this.activation = activation(spec);
        int inner = expertColumns(spec);
        codes = backend.allocateCodes(rowsMax, columns);
        values = floats(rowsMax, columns);
        gatheredCodes = backend.allocateCodes(rowsMax, columns);
        gatheredValues = floats(rowsMax, columns);
        gate = floats(rowsMax, inner);
        up = floats(rowsMax, inner);
        innerCodes = backend.allocateCodes(rowsMax, inner);
        down = floats(rowsMax, columns);
        index = floats(rowsMax, 1);
        weights = floats(rowsMax, 1);
        sums = backend.allocate((long) rowsMax * columns * Long.BYTES);
        poisoned = floats(rowsMax, 1);
        hostIndex = arena.allocate((long) rowsMax * Integer.BYTES, Long.BYTES);
        hostWeights = arena.allocate((long) rowsMax * Float.BYTES, Long.BYTES);
        hostSums = arena.allocate((long) rowsMax * columns * Long.BYTES, Long.BYTES);
        hostPoisoned = arena.allocate((long) rowsMax * Integer.BYTES, Long.BYTES);
        rowsOfExpert = new int[expertsPerLayer + 1];
    }

    /// Bytes that the constructor takes.
    static long bytes(ModelSpec spec, int rowsMax) {
        long wide = spec.hiddenSize();
        long inner = expertColumns(spec);
        long rowBytes = 2 * quantisedBytes(wide) + quantisedBytes(inner) + 4 * (3 * wide + 2 * inner) + 16 * wide + 32;
        return rowsMax * rowBytes;
    }

    private static long quantisedBytes(long rowColumns) {
        return rowColumns + rowColumns / RowEncoding.BLOCK_COLUMNS * Float.BYTES;
    }

    private static int expertColumns(ModelSpec spec) {
        return spec.layers().stream()
                .mapToInt(layer ->
                        layer instanceof FeedForwardSpec.Moe moe ? moe.expertColumns() : RowEncoding.BLOCK_COLUMNS)
                .max()
                .orElse(RowEncoding.BLOCK_COLUMNS);
    }

    /// The same in all layers.
    private static Activation activation(ModelSpec spec) {
        return spec.layers().stream()
                .filter(FeedForwardSpec.Moe.class::isInstance)
                .map(layer -> ((FeedForwardSpec.Moe) layer).activation())
                .findFirst()
                .orElse(new Activation.SwiGlu());
    }

    private Buffer floats(int rows, int rowColumns) {
        return backend.allocate((long) rows * rowColumns * Float.BYTES);
    }

    /// Gives the experts of a batch.
    interface Experts {
        /// An expert to compute with.
        Expert acquire(int expert);

        /// Nothing that uses it is queued any more if `idle`; else it may still be in use until the batch is done.
        void done(Expert expert);

        /// Whether [#done] needs the backend to be idle: for experts whose memory is wanted for the next one.
        boolean oneByOne();
    }

    /// Computes frames of one layer and encoding as one batch. Afterwards [#sums] and [#poisoned] have their rows,
    /// frame
    /// after frame.
    ///
    /// @return rows through one expert, summed over the experts.
    int run(List<ExpertJob> jobs, Experts experts) {
        int rows = upload(jobs);
        RowEncoding encoding = jobs.getFirst().header().encoding();
        int terms = group(jobs);
        backend.clear(sums, (long) rows * columns * Long.BYTES);
        backend.clear(poisoned, (long) rows * Integer.BYTES);
        int from = 0;
        for (int expert = 0; expert < rowsOfExpert.length - 1; expert++) {
            int to = rowsOfExpert[expert];
            if (to > from) {
                Expert matrices = experts.acquire(expert);
                stage(from, to - from);
                multiply(matrices, to - from, encoding);
                if (experts.oneByOne()) {
                    backend.await();
                }
                experts.done(matrices);
            }
            from = to;
        }
        backend.read(sums, 0, hostSums.asSlice(0, (long) rows * columns * Long.BYTES));
        backend.read(poisoned, 0, hostPoisoned.asSlice(0, (long) rows * Integer.BYTES));
        return terms;
    }

    /// int64 `[rows, columns]` of the last batch, from a row on.
    MemorySegment sums(int fromRow, int rows) {
        return hostSums.asSlice((long) fromRow * columns * Long.BYTES, (long) rows * columns * Long.BYTES);
    }

    /// int32 `[rows]` of the last batch, from a row on.
    MemorySegment poisoned(int fromRow, int rows) {
        return hostPoisoned.asSlice((long) fromRow * Integer.BYTES, (long) rows * Integer.BYTES);
    }

    private int upload(List<ExpertJob> jobs) {
        int row = 0;
        for (ExpertJob job : jobs) {
            switch (job.header().encoding()) {
                case QUANTISED -> {
                    backend.write(job.frame().values(), codes.q(), (long) row * columns);
                    long scaleBytes = (long) columns / RowEncoding.BLOCK_COLUMNS * Float.BYTES;
                    backend.write(job.frame().scales(), codes.scales(), row * scaleBytes);
                }
                case FLOATS -> backend.write(job.frame().values(), values, (long) row * columns * Float.BYTES);
            }
            row += job.frame().rows();
        }
        return row;
    }

    /// Sorts (row, weight) by expert, stable: `rowsOfExpert[e]` becomes the end of expert e's part.
    private int group(List<ExpertJob> jobs) {
        Arrays.fill(rowsOfExpert, 0);
        int terms = 0;
        for (ExpertJob job : jobs) {
            terms += count(job.frame());
        }
        if (sortedRows.length < terms) {
            sortedRows = new int[terms];
            sortedWeights = new float[terms];
        }
        for (int expert = 1; expert < rowsOfExpert.length; expert++) {
            rowsOfExpert[expert] += rowsOfExpert[expert - 1];
        }
        int firstRow = 0;
        for (ExpertJob job : jobs) {
            scatter(job.frame(), firstRow);
            firstRow += job.frame().rows();
        }
        return terms;
    }

    /// Counts each expert's rows one place further right, so that prefix sums are begins, and ends after scattering.
    private int count(DispatchFrame frame) {
        int terms = 0;
        for (int row = 0; row < frame.rows(); row++) {
            for (int place = 0; place < frame.header().width(); place++) {
                int expert = frame.expert(row, place);
                if (expert != DispatchFrame.NO_EXPERT) {
                    rowsOfExpert[expert + 1]++;
                    terms++;
                }
            }
        }
        return terms;
    }

    private void scatter(DispatchFrame frame, int firstRow) {
        for (int row = 0; row < frame.rows(); row++) {
            for (int place = 0; place < frame.header().width(); place++) {
                int expert = frame.expert(row, place);
                if (expert != DispatchFrame.NO_EXPERT) {
                    int at = rowsOfExpert[expert]++;
                    sortedRows[at] = firstRow + row;
                    sortedWeights[at] = frame.weight(row, place);
                }
            }
        }
    }

    private void stage(int from, int n) {
        MemorySegment.copy(sortedRows, from, hostIndex, ValueLayout.JAVA_INT, 0, n);
        MemorySegment.copy(sortedWeights, from, hostWeights, ValueLayout.JAVA_FLOAT, 0, n);
        backend.write(hostIndex.asSlice(0, (long) n * Integer.BYTES), index, 0);
        backend.write(hostWeights.asSlice(0, (long) n * Float.BYTES), weights, 0);
    }

    private void multiply(Expert expert, int n, RowEncoding encoding) {
        int inner = expert.gate.rows();
        Rows x = Rows.of(gatheredValues, columns);
        Rows gateRows = Rows.of(gate, inner);
        Rows upRows = Rows.of(up, inner);
        Rows y = Rows.of(down, columns);
        switch (encoding) {
            case QUANTISED -> backend.gatherCodes(codes, index, n, gatheredCodes);
            case FLOATS -> {
                backend.gather(Rows.of(values, columns), index, n, columns, x);
                if (expert.gate.type().integerCoded() || expert.up.type().integerCoded()) {
                    backend.quantise(x, n, gatheredCodes);
                }
            }
        }
        backend.multiply(expert.gate, x, gatheredCodes, n, gateRows);
        backend.multiply(expert.up, x, gatheredCodes, n, upRows);
        if (expert.biases != null) {
            backend.addBias(gateRows, n, expert.biases.gate());
            backend.addBias(upRows, n, expert.biases.up());
        }
        backend.activate(activation, gateRows, upRows, n, inner, gateRows);
        Codes downCodes = innerCodes.withColumns(inner);
        if (expert.down.type().integerCoded()) {
            backend.quantise(gateRows, n, downCodes);
        }
        backend.multiply(expert.down, gateRows, downCodes, n, y);
        if (expert.biases != null) {
            backend.addBias(y, n, expert.biases.down());
        }
        backend.accumulate(y, weights, index, n, columns, sums, poisoned);
    }

    @Override
    public void close() {
        arena.close();
        for (Buffer buffer : List.of(values, gatheredValues, gate, up, down, index, weights, sums, poisoned)) {
            backend.free(buffer);
        }
        for (Codes each : List.of(codes, gatheredCodes, innerCodes)) {
            backend.free(each.q());
            backend.free(each.scales());
        }
    }
}
