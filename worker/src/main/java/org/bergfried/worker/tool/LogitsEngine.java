package org.bergfried.worker.tool;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.worker.api.ExpertCluster;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.dispatch.ClusterDispatcher;
import org.bergfried.worker.dispatch.DispatchSettings;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.dispatch.Inbox;
import org.bergfried.worker.dispatch.Peers;
import org.bergfried.worker.engine.Engine;
import org.bergfried.worker.engine.EngineSettings;
import org.bergfried.worker.engine.MemoryLimit;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.Model;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An engine that stays open for jobs of the same model, backend and number of workers.
final class LogitsEngine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogitsEngine.class);
    private static final String SELF = "expert-000";
    private static final int ROWS_MIN = 128; // of a step
    private static final int POSITIONS_MIN = 512; // of a sequence
    private static final int SEQUENCES_MIN = 16;
    private static final int ROWS_LIMIT = 8192;
    private static final int CHUNK = 64;

    private final Room room;
    private final @Nullable ExpertCluster cluster;
    private final Engine engine;
    private volatile boolean broken;

    /// What jobs need, rounded up so that the next one finds room too.
    ///
    /// @param rows      of a step.
    /// @param positions of a sequence.
    /// @param sequences at a time.
    record Room(int rows, int positions, int sequences) {
        static Room of(LogitsJob job, int context) {
            int needed = job.tokens().length + Math.max(1, job.greedy());
            if (needed > context) {
                throw new ClusterException(
                        ErrorReason.CONTEXT_TOO_LONG,
                        job.tokens().length + " tokens and " + job.greedy() + " greedy ones do not fit the context of "
                                + context + " positions");
            }
            int sequences = Math.max(SEQUENCES_MIN, job.batch());
            int rows = Math.max(ROWS_MIN, Math.min(ROWS_LIMIT, job.chunk() + sequences));
            return new Room(rows, Math.min(context, Math.max(POSITIONS_MIN, powerOfTwo(needed))), sequences);
        }

        boolean holds(Room other) {
            return rows >= other.rows && positions >= other.positions && sequences >= other.sequences;
        }

        private static int powerOfTwo(int count) {
            return count <= 1 ? 1 : Integer.highestOneBit(count - 1) << 1;
        }
    }

    /// How an engine is made.
    ///
    /// @param backends what computes.
    /// @param workers expert hosts behind loopback channels; 0 computes the experts in place.
    /// @param chunk   rows of one prompt in a step, where a sequence does not say otherwise.
    /// @param room    what its sequences need.
    record Form(BackendChoice backends, int workers, int chunk, Room room) {}

    LogitsEngine(Model model, LogitsJob job, CudaSettings cuda, Clock clock) {
        this(model, form(job, cuda, model.spec().contextLength()), clock);
    }

    LogitsEngine(Model model, Form form, Clock clock) {
        room = form.room();
        boolean mixture = model.spec().moeLayers().length > 0;
        var random = new SplittableRandom(1);
        cluster = form.workers() > 0 && mixture
                ? ExpertCluster.open(
                        model,
                        form.workers(),
                        () -> Backends.create(
                                form.backends().experts(), 1, form.backends().cuda()),
                        clock,
                        random)
                : null;
        try {
            engine = Engine.open(
                    model,
                    settings(form, cluster == null),
                    MemoryLimit.ofProcess(),
                    (opened, limits, host) ->
                            cluster == null ? local(opened, host, clock, random) : cluster.dispatcher(),
                    clock,
                    (thread, bug) -> {
                        LOG.error("The step loop ended because of a bug", bug);
                        broken = true;
                    });
            installAll(model);
        } catch (RuntimeException failure) {
            closeCluster();
            throw failure;
        }
    }

    Batcher batcher() {
        return engine.trunk().orElseThrow().batcher();
    }

    String description() {
        return engine.description();
    }

    String backendName() {
        return engine.backendName();
    }

    /// Whether a job can run on this engine.
    boolean serves(Room other) {
        return !broken && room.holds(other);
    }

    @Override
    public void close() {
        engine.close();
        closeCluster();
    }

    private void closeCluster() {
        if (cluster != null) {
            cluster.close();
        }
    }

    /// Puts all experts into memory where there is room; the others are loaded on use.
    private void installAll(Model model) {
        engine.experts().ifPresent(experts -> {
            var installation = experts.store().install(ExpertSet.all(ExpertStore.facts(model.spec())));
            installation.done().handle((nothing, failure) -> failure).join();
            LOG.debug("{} of {} experts are in memory", installation.installed(), installation.total());
        });
    }

    private static Dispatcher local(Model model, @Nullable ExpertHost host, Clock clock, SplittableRandom random) {
        PlacementFacts facts = ExpertStore.facts(model.spec());
        Placement own = host == null ? null : Placement.even(model.digest(), 1, "alone", List.of(SELF), facts);
        return new ClusterDispatcher(
                model, host, Peers.NONE, new Inbox(), () -> own, DispatchSettings.defaults(), clock, random);
    }

    private static Form form(LogitsJob job, CudaSettings cuda, int context) {
        Room room = Room.of(job, context);
        return new Form(BackendChoice.of(job.backend(), 0, cuda), job.workers(), Math.min(CHUNK, room.rows()), room);
    }

    private EngineSettings settings(Form form, boolean hostsExperts) {
        int pages = room.sequences() * KvCache.pagesFor(room.positions());
        return new EngineSettings(
                SELF,
                1,
                "logits",
                form.backends(),
                true,
                hostsExperts,
                room.positions(),
                OptionalLong.empty(),
                pages * KvCache.PAGE_ROWS,
                room.rows(),
                room.rows(),
                form.chunk(),
                room.sequences(),
                room.sequences() + 1,
                Duration.ofMinutes(10),
                OptionalLong.empty(),
                OptionalLong.empty(),
                1);
    }
}
