package org.bergfried.worker.client;

import io.grpc.ManagedChannel;
import java.lang.foreign.Arena;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.FrameRing;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.worker.dispatch.Inbox;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps one stream to a host open: when it ends, the next one is tried after a pause that doubles up to three
/// seconds.
/// A link has a connection of its own, so that prefills do not stand before decodes in its buffers.
final class PeerLink implements PeerStream.Watcher {
    private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);
    private static final long PAUSE_MILLIS = 50;
    private static final int DOUBLINGS_MAX = 6;
    private static final long HELLO_MILLIS = 3000;

    private final PeerAddress peer;
    private final HelloFrame ours;
    private final ManagedChannel channel;
    private final int rowsMax;
    private final FrameRing results;
    private final Inbox inbox;
    private final ScheduledExecutorService timer;
    private final RandomGenerator random; // shared by all links; guarded by itself
    private final Runnable onChange;
    private @Nullable PeerStream stream; // guarded by this
    private volatile @Nullable PeerStream ready;
    private int failures; // guarded by this
    private boolean closed; // guarded by this

    PeerLink(
            PeerAddress peer,
            HelloFrame ours,
            ManagedChannel channel,
            int rowsMax,
            Inbox inbox,
            ScheduledExecutorService timer,
            RandomGenerator random,
            Runnable onChange) {
        this.peer = peer;
        this.ours = ours;
        this.channel = channel;
        this.rowsMax = rowsMax;
        this.results = new FrameRing(Arena.ofAuto(), PeerStream.ringBytes(rowsMax, ours.columns()));
        this.inbox = inbox;
        this.timer = timer;
        this.random = random;
        this.onChange = onChange;
    }

    PeerAddress peer() {
        return peer;
    }

    DispatchClass dispatchClass() {
        return ours.dispatchClass();
    }

    /// The stream that can be sent on, or null.
    @Nullable
    PeerStream ready() {
        return ready;
    }

    /// Opens a stream. Called by the timer's thread, but for the first time.
    void connect() {
        PeerStream next;
        synchronized (this) {
            if (closed) {
                return;
            }
            next = new PeerStream(channel, peer, ours, rowsMax, results, inbox, this);
            stream = next;
        }
        channel.resetConnectBackoff();
        next.start();
        var _ = timer.schedule(() -> giveUpUnlessReady(next), HELLO_MILLIS, TimeUnit.MILLISECONDS);
    }

    void close() {
        PeerStream last;
        synchronized (this) {
            closed = true;
            last = stream;
        }
        if (last != null) {
            last.close("the worker does not need this peer any more");
        }
        channel.shutdownNow();
    }

    @Override
    public void onReady(PeerStream started) {
        synchronized (this) {
            failures = 0;
            ready = started;
        }
        LOG.info("Expert host {} at {} answers for {}", peer.workerId(), peer.address(), ours.dispatchClass());
        onChange.run();
    }

    @Override
    public void onRoom() {
        PeerStream current = ready;
        if (current != null) {
            current.requestMore();
        }
    }

    @Override
    public void onEnd(PeerStream ended, String why) {
        boolean wasReady;
        long pause;
        synchronized (this) {
            wasReady = ready == ended;
            ready = null;
            pause = PAUSE_MILLIS << Math.min(failures, DOUBLINGS_MAX);
            synchronized (random) {
                pause += random.nextLong(pause / 2);
            }
            failures++;
            if (!closed) {
                var _ = timer.schedule(this::connect, pause, TimeUnit.MILLISECONDS);
            }
        }
        if (wasReady) {
            LOG.info("Lost expert host {} for {}: {}", peer.workerId(), ours.dispatchClass(), why);
            onChange.run();
            inbox.put(new Inbox.Event.Lost(peer.workerId(), ours.dispatchClass()));
        } else {
            LOG.debug("Expert host {} at {} does not answer: {}", peer.workerId(), peer.address(), why);
        }
    }

    private void giveUpUnlessReady(PeerStream waited) {
        boolean late;
        synchronized (this) {
            late = stream == waited && ready != waited;
        }
        if (late) {
            waited.close("no HELLO within " + HELLO_MILLIS + " ms");
        }
    }
}
