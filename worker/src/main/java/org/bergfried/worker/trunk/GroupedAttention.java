package org.bergfried.worker.trunk;

import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.AttentionSpan;
import org.bergfried.worker.model.AttentionSpec;
import org.bergfried.worker.model.RopeSpec;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// Grouped-query attention (Ainslie et al. 2023): query heads share key-value heads. A cached row is the keys of all
/// heads, then their values.
final class GroupedAttention implements Attention {
    private final Backend backend;
    private final StepRows step;
    private final KvCache cache;
    private final Buffer ropeTable; // float32 [positionsMax, rotaryColumns / 2, 2]
    private final int layer;
    private final AttentionSpec.Grouped spec;
    private final int kvColumns; // kvHeads * headColumns
    private final float normEpsilon;
    private final AttentionShape shape;
    private final AttentionSpan span;
    private final RopeShape queryRope;
    private final RopeShape keyRope;

    private final Matrix queryProj; // [heads * headColumns, hiddenSize]
    private final Matrix keyProj; // [kvHeads * headColumns, hiddenSize]
    private final Matrix valueProj; // [kvHeads * headColumns, hiddenSize]
    private final @Nullable Matrix queryBias; // [1, heads * headColumns]
    private final @Nullable Matrix keyBias; // [1, kvHeads * headColumns]
    private final @Nullable Matrix valueBias; // [1, kvHeads * headColumns]
    private final @Nullable Matrix queryNorm; // [1, headColumns] or [1, heads * headColumns]
    private final @Nullable Matrix keyNorm; // [1, headColumns] or [1, kvHeads * headColumns]
    private final Matrix outputProj; // [hiddenSize, heads * headColumns]
    private final @Nullable Matrix outputBias; // [1, hiddenSize]
    private final @Nullable Matrix sinks; // [1, heads]

    private final Rows query; // [n, heads * headColumns]
    private final Rows key; // [n, kvHeads * headColumns]
    private final Rows value; // [n, kvHeads * headColumns]
    private final Operand mixed; // [n, heads * headColumns], values weighed by the softmax

    GroupedAttention(TrunkCore core, int layer, Memory memory, TrunkTensors.Grouped tensors) {
        backend = core.backend();
        step = core.step();
        cache = core.cache();
        ropeTable = core.ropeTable();
        this.layer = layer;
        spec = memory.spec;
        kvColumns = spec.kvHeads() * spec.headColumns();
        normEpsilon = core.spec().normEpsilon();
        shape = new AttentionShape(
                spec.heads(), spec.kvHeads(), spec.headColumns(), spec.headColumns(), 0, kvColumns, spec.scale());
        span = core.spec().spans().get(layer);
        RopeSpec rope = core.spec().rope();
        queryRope = new RopeShape(spec.heads(), spec.headColumns(), rope.columns(), rope.interleaved());
        keyRope = new RopeShape(spec.kvHeads(), spec.headColumns(), rope.columns(), rope.interleaved());

        TrunkMatrices matrices = core.matrices();
        queryProj = matrices.load(tensors.query());
        keyProj = matrices.load(tensors.key());
        valueProj = matrices.load(tensors.value());
        queryBias = matrices.loadIfPresent(tensors.queryBias());
        keyBias = matrices.loadIfPresent(tensors.keyBias());
        valueBias = matrices.loadIfPresent(tensors.valueBias());
        queryNorm = matrices.loadIfPresent(tensors.queryNorm());
        keyNorm = matrices.loadIfPresent(tensors.keyNorm());
        outputProj = matrices.load(tensors.output());
        outputBias = matrices.loadIfPresent(tensors.outputBias());
        sinks = matrices.loadIfPresent(tensors.sinks());

        query = memory.query;
        key = memory.key;
        value = memory.value;
        mixed = new Operand(backend, memory.mixed, memory.mixedCodes);
    }

    @Override
    public void run(Operand normed, Rows y) {
        int n = step.count();
        project(normed, n, queryProj, queryBias, query);
        project(normed, n, keyProj, keyBias, key);
        project(normed, n, valueProj, valueBias, value);
        if (spec.turnsFirst()) {
            turn(n);
            norm(n);
        } else {
            norm(n);
            turn(n);
        }

        long keyOffset = cache.layerOffset(layer);
        backend.store(key, n, kvColumns, cache.buffer(), keyOffset, cache.rowStride(), step.slots());
        backend.store(value, n, kvColumns, cache.buffer(), keyOffset + kvColumns, cache.rowStride(), step.slots());

        attend(n);
        project(mixed, n, outputProj, outputBias, y);
    }

    private void project(Operand x, int n, Matrix proj, @Nullable Matrix bias, Rows y) {
        x.multiply(proj, n, y);
        if (bias != null) {
            backend.addBias(y, n, bias);
        }
    }

    private void norm(int n) {
        norm(query, n * spec.heads(), queryNorm);
        norm(key, n * spec.kvHeads(), keyNorm);
    }

    /// Heads stand one after the other, so `n` rows of several heads are as many rows of one head each, or of as many
    /// as the norm is wide.
    private void norm(Rows x, int headRows, @Nullable Matrix weight) {
        if (weight != null) {
            Rows rows = Rows.of(x.buffer(), weight.columns());
            int heads = weight.columns() / spec.headColumns();
            backend.rmsNorm(rows, headRows / heads, weight, normEpsilon, rows);
        }
    }

    private void turn(int n) {
        if (span.rotates()) {
            backend.rope(query, n, queryRope, step.positions(), ropeTable);
            backend.rope(key, n, keyRope, step.positions(), ropeTable);
        }
    }

    private void attend(int n) {
        CacheView view = step.cacheView(layer);
        if (span.window() == 0 && sinks == null) {
            backend.attention(shape, query, n, view, mixed.rewrite());
        } else {
            backend.attentionWithin(shape, span.window(), sinks, query, n, view, mixed.rewrite());
        }
    }

    /// Memory that all layers use in turn.
    ///
    /// @param query      float32 `[rowsMax, heads * headColumns]`.
    /// @param key        float32 `[rowsMax, kvHeads * headColumns]`; likewise the values.
    /// @param mixed      float32 `[rowsMax, heads * headColumns]`, and its codes.
    record Memory(AttentionSpec.Grouped spec, Rows query, Rows key, Rows value, Rows mixed, Codes mixedCodes)
            implements AttentionMemory {
        static Memory allocate(Allocator allocator, AttentionSpec.Grouped spec, int rowsMax) {
            int columns = spec.heads() * spec.headColumns();
            int kvColumns = spec.kvHeads() * spec.headColumns();
            return new Memory(
                    spec,
                    allocator.rows(rowsMax, columns),
                    allocator.rows(rowsMax, kvColumns),
                    allocator.rows(rowsMax, kvColumns),
                    allocator.rows(rowsMax, columns),
                    allocator.codes(rowsMax, columns));
        }
    }
}
