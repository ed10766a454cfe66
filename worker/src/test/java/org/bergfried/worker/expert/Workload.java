package org.bergfried.worker.expert;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.worker.dispatch.Dispatcher.Assignment;
import org.bergfried.worker.dispatch.Dispatcher.RowData;
import org.bergfried.worker.model.Model;

/// Random rows with random experts, and what they must give.
public final class Workload {
    public final Model model;
    public final int layer;
    public final int rows;
    public final int[] ids; // [rows, CHOSEN]
    public final float[] weights; // [rows, CHOSEN]
    public final List<Twin.Row> inputs = new ArrayList<>();
    public final long[] sums; // [rows, hiddenSize]
    public final int[] poisoned; // [rows]

    public Workload(Model model, int layer, int rows, long seed) {
        this(model, layer, rows, seed, -1);
    }

    /// @param badRow has an infinite value.
    public Workload(Model model, int layer, int rows, long seed, int badRow) {
        this.model = model;
        this.layer = layer;
        this.rows = rows;
        var random = new SplittableRandom(seed);
        int experts = ExpertStore.facts(model.spec()).expertsPerLayer();
        int columns = model.spec().hiddenSize();
        ids = new int[rows * SyntheticModel.CHOSEN];
        weights = new float[ids.length];
        for (int row = 0; row < rows; row++) {
            float[] values = new float[columns];
            for (int k = 0; k < columns; k++) {
                values[k] = (float) random.nextDouble(-2, 2);
            }
            if (row == badRow) {
                values[columns / 2] = Float.POSITIVE_INFINITY;
            }
            inputs.add(Twin.Row.of(values));
            choose(row, experts, random);
        }
        sums = new long[rows * columns];
        poisoned = new int[rows];
        for (int row = 0; row < rows; row++) {
            long[] sum = new long[columns];
            for (int place = 0; place < SyntheticModel.CHOSEN; place++) {
                int at = row * SyntheticModel.CHOSEN + place;
                poisoned[row] |= Twin.add(model.expert(layer, ids[at]), inputs.get(row), weights[at], sum) ? 1 : 0;
            }
            System.arraycopy(sum, 0, sums, row * columns, columns);
        }
    }

    private void choose(int row, int experts, SplittableRandom random) {
        for (int place = 0; place < SyntheticModel.CHOSEN; place++) {
            int at = row * SyntheticModel.CHOSEN + place;
            boolean again = true;
            while (again) {
                ids[at] = random.nextInt(experts);
                again = false;
                for (int i = row * SyntheticModel.CHOSEN; i < at; i++) {
                    again |= ids[i] == ids[at];
                }
            }
            weights[at] = (float) random.nextDouble(0.01, 1);
        }
    }

    /// The rows as a trunk dispatches them.
    public Assignment assignment() {
        int columns = model.spec().hiddenSize();
        RowData data;
        if (ExpertHost.encoding(model, layer) == RowEncoding.QUANTISED) {
            byte[] q = new byte[rows * columns];
            float[] scales = new float[rows * columns / 32];
            for (int row = 0; row < rows; row++) {
                System.arraycopy(inputs.get(row).q(), 0, q, row * columns, columns);
                System.arraycopy(inputs.get(row).scales(), 0, scales, row * columns / 32, columns / 32);
            }
            data = new RowData.Quantised(MemorySegment.ofArray(q), MemorySegment.ofArray(scales));
        } else {
            float[] values = new float[rows * columns];
            for (int row = 0; row < rows; row++) {
                System.arraycopy(inputs.get(row).values(), 0, values, row * columns, columns);
            }
            data = new RowData.Floats(MemorySegment.ofArray(values));
        }
        return new Assignment(
                layer, rows, SyntheticModel.CHOSEN, MemorySegment.ofArray(ids), MemorySegment.ofArray(weights), data);
    }
}
