package org.bergfried.worker.engine;

import org.bergfried.contract.Clock;
import org.bergfried.worker.batch.BatchLimits;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.batch.Pages;
import org.bergfried.worker.dispatch.CountedDispatcher;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.dispatch.ExpertLoad;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.kvcache.SequenceMemory;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.trunk.Trunk;

/// The trunk role of an engine: cache, trunk and batch.
public final class RunningTrunk implements AutoCloseable {
    private static final int OUTBOX_TOKENS = 256;

    private final Backend backend;
    private final KvCache cache;
    private final ExpertLoad load;
    private final Dispatcher dispatcher;
    private final Trunk trunk;
    private final Batcher batcher;

    /// Loads the trunk's weights and starts the step loop.
    ///
    /// @param dispatcher closed with this, and if this fails.
    /// @param onBug      hears of an exception that ended the loop.
    static RunningTrunk open(
            Model model,
            Backends backends,
            MemoryPlan plan,
            EngineSettings settings,
            Dispatcher dispatcher,
            Clock clock,
            Thread.UncaughtExceptionHandler onBug) {
        Backend backend = backends.trunk();
        try {
            return new RunningTrunk(model, backend, plan, settings, dispatcher, clock, onBug);
        } catch (RuntimeException failure) {
            dispatcher.close();
            backend.close(); // frees whatever was made with it
            throw failure;
        }
    }

    private RunningTrunk(
            Model model,
            Backend backend,
            MemoryPlan plan,
            EngineSettings settings,
            Dispatcher dispatcher,
            Clock clock,
            Thread.UncaughtExceptionHandler onBug) {
        load = new ExpertLoad(ExpertStore.facts(model.spec()));
        this.dispatcher = new CountedDispatcher(dispatcher, load);
        this.backend = backend;
        cache = Trunk.cache(backend, model.spec(), plan.cachePages());
        trunk = new Trunk(backend, model, cache, this.dispatcher, MemoryPlan.capacity(settings, plan.context()));
        var limits = new BatchLimits(
                plan.context(),
                settings.prefillChunk(),
                settings.sequencesMax(),
                settings.queueMax(),
                OUTBOX_TOKENS,
                settings.stalledMax());
        batcher = new Batcher(trunk, new CachePages(cache), limits, clock, onBug);
    }

    String backendName() {
        return backend.name();
    }

    /// Where sequences go in.
    public Batcher batcher() {
        return batcher;
    }

    /// Rows of each expert since the start.
    public ExpertLoad load() {
        return load;
    }

    @Override
    public void close() {
        batcher.close();
        dispatcher.close();
        trunk.close();
        cache.close();
        backend.close();
    }

    private record CachePages(KvCache cache) implements Pages {
        @Override
        public SequenceMemory open() {
            return cache.open();
        }

        @Override
        public int total() {
            return cache.pages();
        }

        @Override
        public int free() {
            return cache.freePages();
        }
    }
}
