package org.bergfried.worker.expert;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.ResultFrame.Outcome;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.model.TrunkTensors.SwiGlu;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Computes routed experts of one model for anybody in the cluster, its own trunk included. Jobs run on one thread,
/// in order of class and arrival, and wait for nothing; frames that wait for the same layer are computed as one batch.
public final class ExpertHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExpertHost.class);
    private static final long CLOSE_SECONDS = 10;

    private final Model model;
    private final ExpertStore store;
    private final HostSettings settings;
    private final Clock clock;
    private final PlacementFacts facts;
    private final FrameCheck check;
    private final ExpertCompute compute;
    private final JobQueue queue;
    private final OpenJobs open = new OpenJobs();
    private final Throughput throughput = new Throughput();
    private final Thread thread;
    private final AtomicLong epochSeen = new AtomicLong();
    private volatile boolean draining;

    /// Makes the scratch memory and starts the thread.
    ///
    /// @param store   the experts; the host does not close it.
    /// @param backend used by the host's thread only, but for loading; the host does not close it.
    public ExpertHost(Model model, ExpertStore store, Backend backend, HostSettings settings, Clock clock) {
        this.model = model;
        this.store = store;
        this.settings = settings;
        this.clock = clock;
        ModelSpec spec = model.spec();
        this.facts = ExpertStore.facts(spec);
        this.check = new FrameCheck(model, facts, settings.streamRowsMax());
        this.compute = new ExpertCompute(backend, spec, facts.expertsPerLayer(), settings.rowsMax());
        this.queue = new JobQueue(settings.queueRowsMax());
        this.thread = Thread.ofPlatform()
                .name("expert-" + settings.workerId())
                .daemon(true)
                .unstarted(this::work);
        thread.start();
    }

    /// Bytes that a host takes besides its experts and its streams.
    public static long scratchBytes(ModelSpec spec, HostSettings settings) {
        return ExpertCompute.bytes(spec, settings.rowsMax());
    }

    /// How rows must be sent to the experts of a layer.
    public static RowEncoding encoding(Model model, int layer) {
        SwiGlu expert = model.expert(layer, 0);
        boolean codes = expert.gateProj().type().integerCoded()
                && expert.upProj().type().integerCoded();
        return codes ? RowEncoding.QUANTISED : RowEncoding.FLOATS;
    }

    /// How the host introduces itself on a stream.
    public HelloFrame hello(DispatchClass dispatchClass) {
        return HelloFrame.of(
                settings.workerId(),
                settings.startNumber(),
                model.digest(),
                model.numericsId(),
                dispatchClass,
                model.spec().hiddenSize());
    }

    /// The host's limits.
    public HostSettings settings() {
        return settings;
    }

    /// The experts that it has in memory.
    public ExpertSet hot() {
        return store.hot();
    }

    /// Bytes of the largest frame that a stream may send.
    public int frameBytesMax() {
        return frameBytesMax(model.spec(), settings);
    }

    /// Bytes of a ring that holds what one stream may have on the way.
    public long streamBytes() {
        return streamBytes(model.spec(), settings);
    }

    /// Bytes of the ring of one stream: the frames on the way, and room for one of the largest to arrive whole on
    /// either side of the ring's end.
    public static long streamBytes(ModelSpec spec, HostSettings settings) {
        long rowBytes = frameBytes(spec, 1) + FrameRing.ALIGNMENT;
        return FrameRing.bytesFor(rowBytes * settings.streamRowsMax(), frameBytesMax(spec, settings));
    }

    private static int frameBytesMax(ModelSpec spec, HostSettings settings) {
        return (int) Math.min(Limits.FRAME_BYTES, frameBytes(spec, settings.streamRowsMax()));
    }

    private static long frameBytes(ModelSpec spec, int rows) {
        int width = Math.clamp(ExpertStore.facts(spec).expertsPerLayer(), 1, Limits.EXPERTS_PER_TOKEN);
        return DispatchFrame.bytes(RowEncoding.FLOATS, rows, width, spec.hiddenSize());
    }

    /// Most rows of one frame.
    public int frameRowsMax() {
        return settings.streamRowsMax();
    }

    /// Remembers the highest epoch of a placement that this worker has acted on.
    public void sawEpoch(long epoch) {
        epochSeen.accumulateAndGet(epoch, Math::max);
    }

    /// Rows that go through one expert in a second of computing; 0 before one second was computed.
    public double rowsPerSecond() {
        return throughput.perSecond();
    }

    /// Waits until every frame that was sent for one of the experts under an older epoch is answered.
    ///
    /// @return frames that are not when the time is over; 0 if all are.
    public int awaitAnswered(ExpertSet experts, long belowEpoch, Duration longest) throws InterruptedException {
        return open.awaitAnswered(experts, belowEpoch, longest.toNanos());
    }

    /// Answers every new frame with DRAINING; what waits is still computed.
    public void drain() {
        draining = true;
    }

    /// Answers every frame with DRAINING, also what waits, and computes nothing more.
    public void abandon() {
        draining = true;
        for (ExpertJob job : queue.close()) {
            refuse(job, Outcome.DRAINING);
        }
    }

    /// Takes a frame. The reply is called once, now or by the compute thread; the frame's memory must stay as it is
    /// until then. Never blocks.
    ///
    /// @throws ClusterException if the frame breaks the protocol; then the reply is not called.
    public void submit(DispatchFrame frame, Reply reply) {
        DispatchFrame.Header header = frame.header();
        check.require(frame);
        long id = header.dispatchId();
        if (draining) {
            reply.refused(Outcome.DRAINING, id, 0);
            return;
        }
        int[] missing = header.coldAllowed() ? new int[0] : notHot(frame);
        if (missing.length > 0) {
            refuseMissing(frame, reply, missing);
            return;
        }
        long deadline = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(header.deadlineMillis());
        var job = new ExpertJob(frame, reply, deadline);
        open.add(job);
        if (!queue.offer(job)) {
            open.remove(job);
            reply.refused(draining ? Outcome.DRAINING : Outcome.BUSY, id, 0);
        }
    }

    /// Answers what waits with DRAINING, finishes what is being computed, and ends the thread.
    @Override
    public void close() {
        abandon();
        try {
            if (!thread.join(Duration.ofSeconds(CLOSE_SECONDS))) {
                throw new IllegalStateException("an expert job runs for more than " + CLOSE_SECONDS + " s");
            }
            compute.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int[] notHot(DispatchFrame frame) {
        ExpertSet hot = store.hot();
        var missing = new java.util.BitSet();
        for (int row = 0; row < frame.rows(); row++) {
            for (int place = 0; place < frame.header().width(); place++) {
                int expert = frame.expert(row, place);
                if (expert != DispatchFrame.NO_EXPERT
                        && !hot.contains(frame.header().layer(), expert)) {
                    missing.set(expert);
                }
            }
        }
        return missing.stream().toArray();
    }

    private void refuseMissing(DispatchFrame frame, Reply reply, int... missing) {
        long epoch = epochSeen.get();
        if (epoch > frame.header().epoch()) {
            reply.refused(Outcome.STALE, frame.header().dispatchId(), epoch);
        } else {
            reply.refused(Outcome.MISSING, frame.header().dispatchId(), 0, missing);
        }
    }

    private void work() {
        try {
            List<ExpertJob> batch = queue.take(settings.rowsMax());
            while (!batch.isEmpty()) {
                run(batch);
                batch = queue.take(settings.rowsMax());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(List<ExpertJob> batch) {
        var alive = new ArrayList<ExpertJob>(batch.size());
        long now = clock.nanoTime();
        for (ExpertJob job : batch) {
            if (now - job.deadlineNanos() >= 0) {
                refuse(job, Outcome.BUSY);
            } else {
                alive.add(job);
            }
        }
        if (alive.isEmpty()) {
            return;
        }
        if (alive.getFirst().header().coldAllowed()) {
            alive.forEach(this::runCold);
        } else {
            runHot(alive);
        }
    }

    /// All experts of the batch are held until it is done, so that an eviction does not take one away.
    private void runHot(List<ExpertJob> batch) {
        int layer = batch.getFirst().header().layer();
        Expert[] held = new Expert[facts.expertsPerLayer()];
        batch.removeIf(job -> !holdAll(job, held));
        if (!batch.isEmpty()) {
            long begun = clock.nanoTime();
            int rows = compute.run(batch, new HeldExperts(held, layer));
            throughput.add(rows, clock.nanoTime() - begun);
            answer(batch);
        }
        for (Expert expert : held) {
            if (expert != null) {
                store.release(expert);
            }
        }
    }

    private boolean holdAll(ExpertJob job, @Nullable Expert[] held) {
        DispatchFrame frame = job.frame();
        for (int row = 0; row < frame.rows(); row++) {
            for (int place = 0; place < frame.header().width(); place++) {
                int expert = frame.expert(row, place);
                if (expert != DispatchFrame.NO_EXPERT && held[expert] == null) {
                    held[expert] = store.acquireHot(frame.header().layer(), expert);
                    if (held[expert] == null) {
                        open.remove(job);
                        refuseMissing(frame, job.reply(), expert);
                        return false;
                    }
                }
            }
        }
        return true;
    }

    private void runCold(ExpertJob job) {
        var experts = new ColdExperts(job.header().layer());
        try {
            compute.run(List.of(job), experts);
        } catch (ClusterException e) {
            LOG.error("Expert {} of layer {} cannot be loaded", experts.last, experts.layer, e);
            refuse(job, Outcome.MISSING, experts.last);
            return;
        }
        answer(List.of(job));
    }

    private void refuse(ExpertJob job, Outcome outcome, int... missing) {
        open.remove(job);
        job.reply().refused(outcome, job.header().dispatchId(), 0, missing);
    }

    private void answer(List<ExpertJob> batch) {
        int row = 0;
        for (ExpertJob job : batch) {
            int rows = job.frame().rows();
            long id = job.header().dispatchId();
            open.remove(job);
            job.reply().rows(id, rows, compute.sums(row, rows), compute.poisoned(row, rows));
            row += rows;
        }
    }

    private static final class HeldExperts implements ExpertCompute.Experts {
        private final @Nullable Expert[] held;
        private final int layer;

        HeldExperts(@Nullable Expert[] held, int layer) {
            this.held = held;
            this.layer = layer;
        }

        @Override
        public Expert acquire(int expert) {
            Expert matrices = held[expert];
            if (matrices == null) {
                throw new IllegalStateException("expert " + expert + " of layer " + layer + " is not held");
            }
            return matrices;
        }

        @Override
        public void done(Expert expert) {
            // Held until the batch is done.
        }

        @Override
        public boolean oneByOne() {
            return false;
        }
    }

    private final class ColdExperts implements ExpertCompute.Experts {
        private final int layer;
        private int last;

        ColdExperts(int layer) {
            this.layer = layer;
        }

        @Override
        public Expert acquire(int expert) {
            last = expert;
            return store.acquire(layer, expert);
        }

        @Override
        public void done(Expert expert) {
            store.release(expert);
        }

        @Override
        public boolean oneByOne() {
            return true;
        }
    }
}
