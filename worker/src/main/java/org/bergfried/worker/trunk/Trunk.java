package org.bergfried.worker.trunk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.model.RopeTable;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.tensor.Rows;

/// The forward pass of all families, read top to bottom: embedding, then layer by layer attention and feed-forward
/// part added to the residual stream, then the head. Every result of a row depends on the tokens of its sequence up
/// to it and on nothing else, bit for bit (ARITHMETIC.md).
///
/// Everything is allocated by the constructor; a step allocates a few small objects and no memory that grows with
/// its rows.
public final class Trunk implements StepRunner, AutoCloseable {
    private final Backend backend;
    private final Dispatcher dispatcher;
    private final ModelSpec spec;
    private final TrunkCapacity capacity;
    private final Allocator allocator;
    private final TrunkMatrices matrices;
    private final StepRows rows;

    private final Matrix embedding; // [vocabularySize, hiddenSize]
    private final List<Layer> layers;
    private final Head head;

    private final Rows hidden; // [n, hiddenSize], the residual stream
    private final Operand normed; // [n, hiddenSize]
    private final Rows part; // [n, hiddenSize], what a part adds to the residual stream

    private record Layer(Matrix attentionNorm, Attention attention, Matrix feedForwardNorm, FeedForward feedForward) {}

    /// Loads the trunk's weights and allocates the memory of the largest step. The backend, the model, the cache and
    /// the dispatcher stay their owner's.
    public Trunk(Backend backend, Model model, KvCache cache, Dispatcher dispatcher, TrunkCapacity capacity) {
        this.backend = backend;
        this.dispatcher = dispatcher;
        this.capacity = capacity;
        spec = model.spec();
        allocator = Allocator.of(backend);
        matrices = new TrunkMatrices(backend);
        TrunkMemory memory = TrunkMemory.allocate(allocator, spec, capacity);
        initialise(memory);
        rows = new StepRows(backend, cache, capacity, spec.vocabularySize(), memory.step());
        TrunkCore core = new TrunkCore(backend, spec, matrices, memory, rows, cache, memory.ropeTable());

        TrunkTensors tensors = model.trunk();
        embedding = matrices.load(tensors.embedding());
        layers = layers(core, model);
        Matrix headProj = spec.tiedHead() ? embedding : matrices.load(tensors.head());
        head = new Head(core, matrices.load(tensors.outputNorm()), headProj);
        hidden = memory.hidden();
        normed = new Operand(backend, memory.normed(), memory.normedCodes());
        part = memory.part();
    }

    /// Bytes that a trunk of this model allocates apart from weights and the KV cache.
    public static long memoryBytes(ModelSpec spec, TrunkCapacity capacity) {
        try (Allocator counting = Allocator.counting()) {
            TrunkMemory.allocate(counting, spec, capacity);
            return counting.bytes();
        }
    }

    /// Makes the cache that a trunk of this model needs.
    public static KvCache cache(Backend backend, ModelSpec spec, int pages) {
        return new KvCache(backend, spec.layers().size(), spec.attention().cacheColumns(), pages);
    }

    /// Bytes of one page of that cache.
    public static long pageBytes(ModelSpec spec) {
        return KvCache.pageBytes(spec.layers().size(), spec.attention().cacheColumns());
    }

    private void initialise(TrunkMemory memory) {
        try (Arena arena = Arena.ofConfined()) {
            backend.write(RopeTable.allocate(spec.rope(), capacity.positionsMax(), arena), memory.ropeTable(), 0);
        }
        if (memory.attention() instanceof LatentAttention.Memory latent) {
            latent.initialise(backend);
        }
    }

    private List<Layer> layers(TrunkCore core, Model model) {
        List<Layer> result = new ArrayList<>();
        for (int i = 0; i < spec.layers().size(); i++) {
            TrunkTensors.Layer tensors = model.trunk().layers().get(i);
            result.add(new Layer(
                    matrices.load(tensors.attentionNorm()),
                    attention(core, i, tensors.attention()),
                    matrices.load(tensors.feedForwardNorm()),
                    feedForward(core, i, model, tensors.feedForward())));
        }
        return List.copyOf(result);
    }

    private static Attention attention(TrunkCore core, int layer, TrunkTensors.Attention tensors) {
        return switch (core.memory().attention()) {
            case GroupedAttention.Memory memory ->
                new GroupedAttention(core, layer, memory, (TrunkTensors.Grouped) tensors);
            case LatentAttention.Memory memory ->
                new LatentAttention(core, layer, memory, (TrunkTensors.Latent) tensors);
        };
    }

    private FeedForward feedForward(TrunkCore core, int layer, Model model, TrunkTensors.FeedForward tensors) {
        return switch (spec.layers().get(layer)) {
            case FeedForwardSpec.Dense dense ->
                new DenseFeedForward(core, (TrunkTensors.SwiGlu) tensors, dense.columns());
            case FeedForwardSpec.Moe moe ->
                new MoeFeedForward(core, dispatcher, layer, moe, (TrunkTensors.Moe) tensors, model.expert(layer, 0));
        };
    }

    @Override
    public int rowsMax() {
        return capacity.rowsMax();
    }

    @Override
    public int vocabularySize() {
        return spec.vocabularySize();
    }

    /// Bytes that this trunk has allocated, the weights that are not mapped among them, the KV cache not.
    public long residentBytes() {
        return allocator.bytes() + matrices.residentBytes();
    }

    @Override
    public Outcome run(Step step) {
        rows.begin(step);
        dispatcher.beginStep(step.number());
        int n = rows.count();
        backend.embed(embedding, rows.ids(), n, hidden);
        scale(hidden, n, spec.multipliers().embedding());
        for (Layer layer : layers) {
            backend.rmsNorm(hidden, n, layer.attentionNorm, spec.normEpsilon(), normed.rewrite());
            layer.attention.run(normed, part);
            scale(part, n, spec.multipliers().residual());
            backend.add(hidden, part, n, spec.hiddenSize());
            backend.rmsNorm(hidden, n, layer.feedForwardNorm, spec.normEpsilon(), normed.rewrite());
            layer.feedForward.run(normed, part);
            scale(part, n, spec.multipliers().residual());
            backend.add(hidden, part, n, spec.hiddenSize());
        }
        MemorySegment logits = head.run(hidden);
        return new Outcome(logits, rows.nonFinite());
    }

    private void scale(Rows x, int n, float factor) {
        if (factor != 1) {
            backend.scale(x, n, spec.hiddenSize(), factor);
        }
    }

    /// Gives back what the trunk has allocated and loaded. No step may run.
    @Override
    public void close() {
        matrices.close();
        allocator.close();
    }
}
