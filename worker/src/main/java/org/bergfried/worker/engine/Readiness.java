package org.bergfried.worker.engine;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.batch.FinishReason;
import org.bergfried.worker.batch.SequenceListener;
import org.bergfried.worker.batch.SequenceRequest;
import org.bergfried.worker.dispatch.ExpertLoad;
import org.bergfried.worker.sample.Sampling;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether a token can really be produced: known by producing one. A probe of one token runs at start and again when
/// nothing was drawn for a while; while it fails it is repeated quickly.
public final class Readiness implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Readiness.class);
    private static final Duration TICK = Duration.ofMillis(100);
    private static final Duration IDLE = Duration.ofSeconds(20); // without a token, before a probe
    private static final Duration PROBE_MAX = Duration.ofSeconds(10);
    private static final Duration TURN_MAX = Duration.ofSeconds(60); // a step of a large model takes seconds

    private final Batcher batcher;
    private final ExpertLoad load;
    private final Clock clock;
    private final Consumer<Boolean> onChange;
    private final ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("readiness").factory());
    private final AtomicLong probesUnderWay = new AtomicLong();
    private volatile boolean ready;
    private volatile boolean closed;
    private String lastWhy = ""; // guarded by this
    private long tokensSeen;
    private long lastTokenNanos;

    /// Starts probing.
    ///
    /// @param load     does not count the probes.
    /// @param onChange hears of each change, on any thread.
    public Readiness(Batcher batcher, ExpertLoad load, Clock clock, Consumer<Boolean> onChange) {
        this.batcher = batcher;
        this.load = load;
        this.clock = clock;
        this.onChange = onChange;
        lastTokenNanos = clock.nanoTime();
        var _ = ticker.scheduleWithFixedDelay(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Whether a token can be produced.
    public boolean ready() {
        return ready && turning();
    }

    /// Whether the step loop turns.
    public boolean turning() {
        return clock.nanoTime() - batcher.load().turnNanos() < TURN_MAX.toNanos();
    }

    @Override
    public void close() {
        closed = true;
        ticker.shutdownNow();
    }

    private void tick() {
        long now = clock.nanoTime();
        long tokens = batcher.load().tokensDrawn();
        if (tokens != tokensSeen) {
            tokensSeen = tokens;
            lastTokenNanos = now;
        }
        if (!turning()) {
            become(false, "the step loop has not turned for " + TURN_MAX.toSeconds() + " s");
        }
        boolean due = !ready || now - lastTokenNanos > IDLE.toNanos();
        if (due && probesUnderWay.compareAndSet(0, 1)) {
            probe(now);
        }
    }

    private void probe(long now) {
        long deadline = now + PROBE_MAX.toNanos();
        var request = new SequenceRequest(
                "probe", new int[] {0}, new int[0], Sampling.GREEDY, new int[0], 1, deadline, 0, null);
        load.probed(true);
        try {
            batcher.submit(request, new Probe());
        } catch (ClusterException refused) {
            probeEnded();
            if (refused.reason() != ErrorReason.QUEUE_FULL) { // a full queue says nothing of tokens
                become(false, refused.text());
            }
        }
    }

    private void probeEnded() {
        load.probed(false);
        probesUnderWay.set(0);
    }

    private synchronized void become(boolean now, String why) {
        if (!now && !ready && !closed && !why.equals(lastWhy)) {
            LOG.info("Not ready yet: {}", why);
            lastWhy = why;
        }
        if (now != ready && !closed) {
            ready = now;
            LOG.info(now ? "Ready: {}" : "Not ready: {}", why);
            onChange.accept(now);
        }
    }

    private final class Probe implements SequenceListener {
        @Override
        public void token(int position, int id) {
            become(true, "a token was produced");
        }

        @Override
        public void finished(FinishReason reason, int tokenCount) {
            probeEnded();
        }

        @Override
        public void failed(ClusterException error) {
            become(false, "no token could be produced: " + error.text());
            probeEnded();
        }
    }
}
