package org.bergfried.worker.trunk;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bergfried.worker.Golden;
import org.bergfried.worker.dispatch.LocalExperts;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.kvcache.SequenceMemory;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.trunk.Step.Logits;
import org.bergfried.worker.trunk.Step.Slice;

/// A model with a trunk, a small cache and the obvious experts, driven without a batch loop.
final class TrunkRig implements AutoCloseable {
    static final TrunkCapacity CAPACITY = new TrunkCapacity(96, 8, 512, 96);
    private static final int PAGES = 40;

    final Backend backend;
    final KvCache cache;
    final Trunk trunk;
    private final Model model;
    private final LocalExperts experts;
    private long steps;

    TrunkRig(Path path, String backendName) {
        backend = Backends.create(backendName, 1);
        model = Models.open(path);
        experts = new LocalExperts(backend, model);
        cache = Trunk.cache(backend, model.spec(), PAGES);
        trunk = new Trunk(backend, model, cache, experts, CAPACITY);
    }

    static TrunkRig golden(String name, String backendName) {
        return new TrunkRig(Golden.resource("golden/" + name), backendName);
    }

    ModelSpec spec() {
        return model.spec();
    }

    StepRunner.Outcome step(Slice... slices) {
        return trunk.run(new Step(steps++, List.of(slices)));
    }

    SequenceMemory memory(int positions) {
        SequenceMemory memory = cache.open();
        if (!memory.reserve(positions)) {
            throw new IllegalStateException(positions + " positions do not fit in " + cache.freePages() + " pages");
        }
        return memory;
    }

    /// Logits of every token of one sequence alone, taken in by chunks.
    float[][] logits(int[] ids, int chunk) {
        float[][] result = new float[ids.length][];
        try (SequenceMemory memory = memory(ids.length)) {
            for (int from = 0; from < ids.length; from += chunk) {
                int count = Math.min(chunk, ids.length - from);
                StepRunner.Outcome outcome = step(new Slice(memory, ids, from, count, Logits.ALL));
                requireFinite(outcome);
                for (int i = 0; i < count; i++) {
                    result[from + i] = row(outcome, i);
                }
            }
        }
        return result;
    }

    /// The `count` most likely tokens after a prompt, each after the one before.
    int[] greedy(int[] prompt, int count) {
        int[] ids = Arrays.copyOf(prompt, prompt.length + count);
        try (SequenceMemory memory = memory(ids.length)) {
            int from = 0;
            for (int end = prompt.length; end < ids.length; end++) {
                StepRunner.Outcome outcome = step(new Slice(memory, ids, from, end - from, Logits.LAST));
                requireFinite(outcome);
                ids[end] = largest(row(outcome, 0));
                from = end;
            }
        }
        return Arrays.copyOfRange(ids, prompt.length, ids.length);
    }

    /// A copy of row `i` of the logits.
    float[] row(StepRunner.Outcome outcome, int i) {
        long rowBytes = (long) trunk.vocabularySize() * Float.BYTES;
        return outcome.logits().asSlice(i * rowBytes, rowBytes).toArray(ValueLayout.JAVA_FLOAT);
    }

    private static void requireFinite(StepRunner.Outcome outcome) {
        for (boolean bad : outcome.nonFinite()) {
            if (bad) {
                throw new AssertionError("a sequence was flagged as not finite");
            }
        }
    }

    private static int largest(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }

    @Override
    public void close() {
        trunk.close();
        cache.close();
        experts.close();
        model.close();
        backend.close();
    }
}
