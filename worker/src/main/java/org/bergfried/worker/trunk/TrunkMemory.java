package org.bergfried.worker.trunk;

import org.bergfried.worker.model.AttentionSpec;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// All memory of a trunk but its weights and the KV cache, allocated once for the largest step. Parts of different
/// layers use the same memory in turn.
///
/// @param step        the step's indices.
/// @param ropeTable   float32 `[positionsMax, rotaryColumns / 2, 2]`.
/// @param hidden      float32 `[rowsMax, hiddenSize]`, the residual stream.
/// @param normed      float32 `[rowsMax, hiddenSize]`, and its codes.
/// @param part        float32 `[rowsMax, hiddenSize]`, what a part adds to the residual stream.
/// @param attention   of the model's kind of attention.
/// @param dense       of dense layers and shared experts.
/// @param moe         of mixture layers.
/// @param head        of the final norm and the head.
record TrunkMemory(
        StepRows.Memory step,
        Buffer ropeTable,
        Rows hidden,
        Rows normed,
        Codes normedCodes,
        Rows part,
        AttentionMemory attention,
        DenseFeedForward.Memory dense,
        MoeFeedForward.Memory moe,
        Head.Memory head) {
    static TrunkMemory allocate(Allocator allocator, ModelSpec spec, TrunkCapacity capacity) {
        int rowsMax = capacity.rowsMax();
        int hiddenSize = spec.hiddenSize();
        Widths widths = Widths.of(spec);
        return new TrunkMemory(
                new StepRows.Memory(allocator, capacity),
                allocator.floats((long) capacity.positionsMax() * spec.rope().columns()),
                allocator.rows(rowsMax, hiddenSize),
                allocator.rows(rowsMax, hiddenSize),
                allocator.codes(rowsMax, hiddenSize),
                allocator.rows(rowsMax, hiddenSize),
                attention(allocator, spec.attention(), rowsMax),
                DenseFeedForward.Memory.allocate(allocator, widths.inner, rowsMax),
                MoeFeedForward.Memory.allocate(allocator, hiddenSize, widths.experts, widths.chosen, rowsMax),
                Head.Memory.allocate(allocator, hiddenSize, spec.vocabularySize(), capacity.logitsMax()));
    }

    private static AttentionMemory attention(Allocator allocator, AttentionSpec spec, int rowsMax) {
        return switch (spec) {
            case AttentionSpec.Grouped grouped -> GroupedAttention.Memory.allocate(allocator, grouped, rowsMax);
            case AttentionSpec.Latent latent -> LatentAttention.Memory.allocate(allocator, latent, rowsMax);
        };
    }

    /// The widest of all layers; 0 where a model has no such part.
    private record Widths(int inner, int experts, int chosen) {
        static Widths of(ModelSpec spec) {
            int inner = 0;
            int experts = 0;
            int chosen = 0;
            for (FeedForwardSpec layer : spec.layers()) {
                switch (layer) {
                    case FeedForwardSpec.Dense dense -> inner = Math.max(inner, dense.columns());
                    case FeedForwardSpec.Moe moe -> {
                        inner = Math.max(inner, moe.sharedColumns());
                        experts = Math.max(experts, moe.gate().experts());
                        chosen = Math.max(chosen, moe.gate().chosen());
                    }
                }
            }
            return new Widths(inner, experts, chosen);
        }
    }
}
