package org.bergfried.worker.dispatch;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.contract.tensor.DispatchFrame;
import org.bergfried.contract.tensor.HelloFrame;
import org.bergfried.contract.tensor.ResultFrame;
import org.bergfried.contract.tensor.RowEncoding;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends rows to the experts of the cluster and adds what comes back. Decisions are made by [DispatchRound]; this
/// class
/// writes frames, waits, and adds. One trunk thread owns it.
public final class ClusterDispatcher implements Dispatcher {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterDispatcher.class);

    private final DispatchSettings settings;
    private final Peers peers;
    private final Inbox inbox;
    private final Supplier<@Nullable Placement> placements;
    private final Clock clock;
    private final int columns;
    private final long modelTag;
    private final long numericsTag;
    private final Arena arena = Arena.ofAuto(); // the host may still write a late result when this is closed
    private final Map<DispatchClass, LocalPeer> local;
    private final DispatchRound round;

    private Map<String, Peer> remote = Map.of(); // what `hosts` was made of
    private Map<String, Peer> hosts = Map.of(); // by worker id, sorted; this worker among them
    private DispatchClass dispatchClass = DispatchClass.DECODE;
    private RowEncoding encoding = RowEncoding.FLOATS;
    private @Nullable Assignment assignment;
    private int[] ids = new int[0]; // [n, chosen] of the assignment
    private long step;
    private RoundTrips trips = RoundTrips.UNHEARD;
    private boolean closed;

    /// A dispatcher.
    ///
    /// @param model      whose experts are meant.
    /// @param host       this worker's own host, or null if it has none. Stays open.
    /// @param peers      the other hosts; closed with this.
    /// @param inbox      where the peers put what happens; belongs to this dispatcher alone.
    /// @param placements the newest placement; null as long as there is none: then all experts are here.
    /// @param random     spreads the repeated questions to a busy host.
    public ClusterDispatcher(
            Model model,
            @Nullable ExpertHost host,
            Peers peers,
            Inbox inbox,
            Supplier<@Nullable Placement> placements,
            DispatchSettings settings,
            Clock clock,
            RandomGenerator random) {
        this.settings = settings;
        this.peers = peers;
        this.inbox = inbox;
        this.placements = placements;
        this.clock = clock;
        this.columns = model.spec().hiddenSize();
        this.modelTag = HelloFrame.modelTag(model.digest());
        this.numericsTag = HelloFrame.numericsTag(model.numericsId());
        this.local = host == null
                ? Map.of()
                : Map.of(
                        DispatchClass.DECODE, new LocalPeer(host, inbox, columns, arena),
                        DispatchClass.PREFILL, new LocalPeer(host, inbox, columns, arena));
        String self = host == null ? null : host.settings().workerId();
        this.round = new DispatchRound(self, settings, random, new Outside());
    }

    /// Bytes that the way to the process's own host takes.
    public static long ownBytes(ModelSpec spec, HostSettings settings) {
        return DispatchClass.values().length * LocalPeer.bytes(spec, settings);
    }

    /// A dispatcher of a process without others: every expert is computed by its own host.
    public static ClusterDispatcher alone(
            Model model, ExpertHost host, DispatchSettings settings, Clock clock, RandomGenerator random) {
        return new ClusterDispatcher(model, host, Peers.NONE, new Inbox(), () -> null, settings, clock, random);
    }

    /// Tells from now on how long other workers take; called before the first step.
    public void measure(RoundTrips newTrips) {
        trips = newTrips;
    }

    @Override
    public void beginStep(long newStep) {
        step = newStep;
        round.beginStep(placements.get());
    }

    @Override
    public void dispatch(Assignment newAssignment) {
        assignment = newAssignment;
        dispatchClass = newAssignment.n() <= settings.decodeRowsMax() ? DispatchClass.DECODE : DispatchClass.PREFILL;
        encoding = newAssignment.rows() instanceof RowData.Quantised ? RowEncoding.QUANTISED : RowEncoding.FLOATS;
        int terms = newAssignment.n() * newAssignment.chosen();
        if (ids.length != terms) {
            ids = new int[terms];
        }
        MemorySegment.copy(newAssignment.ids(), JAVA_INT_UNALIGNED, 0, ids, 0, terms);
        refreshHosts();
        round.begin(newAssignment.layer(), newAssignment.chosen(), ids, clock.nanoTime());
    }

    @Override
    public void combine(MemorySegment sums, MemorySegment poisoned) {
        Assignment current = current();
        sums.asSlice(0, (long) current.n() * columns * Long.BYTES).fill((byte) 0);
        poisoned.asSlice(0, (long) current.n() * Integer.BYTES).fill((byte) 0);
        while (!round.done()) {
            Inbox.Event event = inbox.poll();
            if (event == null) {
                long now = clock.nanoTime();
                event = inbox.await(round.nextWakeNanos(now) - now);
            }
            if (event != null) {
                handle(event, sums, poisoned);
            }
            round.onTick(clock.nanoTime());
            requireUninterrupted();
        }
        assignment = null;
        String failure = round.failure();
        if (failure != null) {
            throw new ClusterException(ErrorReason.EXPERT_UNPLACED, failure + "; start a worker that has the model");
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            peers.close();
        }
    }

    private Assignment current() {
        if (assignment == null) {
            throw new IllegalStateException("combine without dispatch");
        }
        return assignment;
    }

    private static void requireUninterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new ClusterException(ErrorReason.CANCELLED, "the trunk's thread was interrupted in a dispatch");
        }
    }

    private void handle(Inbox.Event event, MemorySegment sums, MemorySegment poisoned) {
        switch (event) {
            case Inbox.Event.Room(var _) -> refreshHosts();
            case Inbox.Event.Lost(var workerId, var lostClass) -> {
                refreshHosts();
                if (lostClass == dispatchClass) {
                    round.onLost(workerId, clock.nanoTime());
                }
            }
            case Inbox.Event.Result(var workerId, var frame, var release) -> {
                add(workerId, frame, sums, poisoned);
                long id = frame.dispatchId();
                ResultFrame.Outcome outcome = frame.outcome();
                long epoch = frame.epoch();
                int[] missing = frame.missing();
                release.run(); // before the round, which may send into the memory that became free
                settle(workerId, id, outcome, epoch, missing);
            }
        }
    }

    /// Adds the sums, if somebody waits for them.
    private void add(String workerId, ResultFrame frame, MemorySegment sums, MemorySegment poisoned) {
        Part part = round.open(frame.dispatchId());
        if (part == null || frame.outcome() != ResultFrame.Outcome.ROWS) {
            return;
        }
        if (!part.host.equals(workerId) || frame.rows() != part.rowCount() || frame.columns() != columns) {
            new Outside().suspect(workerId, "its result has other rows than dispatch " + frame.dispatchId());
            round.onLost(workerId, clock.nanoTime());
            return;
        }
        for (int index = 0; index < part.rowCount(); index++) {
            int row = part.rows[index];
            if (frame.poisoned(index)) {
                poisoned.set(JAVA_INT_UNALIGNED, (long) row * Integer.BYTES, 1);
            } else {
                frame.addTo(index, sums, (long) row * columns * Long.BYTES);
            }
        }
    }

    private void settle(String workerId, long id, ResultFrame.Outcome outcome, long epoch, int[] missing) {
        Part part = round.open(id);
        if (part == null || !part.host.equals(workerId)) {
            return;
        }
        if (outcome == ResultFrame.Outcome.ROWS) {
            long now = clock.nanoTime();
            if (remote.containsKey(workerId)) {
                trips.answered(dispatchClass, now - part.sentNanos);
            }
            round.onRows(id, now);
            return;
        }
        LOG.debug("Dispatch {}: worker {} answered {}, epoch {}", id, workerId, outcome, epoch);
        round.onRefused(id, outcome, missing, clock.nanoTime());
    }

    private void refreshHosts() {
        Map<String, Peer> living = peers.living(dispatchClass);
        LocalPeer own = local.get(dispatchClass);
        if (living.equals(remote) && (own == null || own.equals(hosts.get(own.workerId())))) {
            return;
        }
        var merged = new TreeMap<>(living);
        if (own != null) {
            merged.put(own.workerId(), own);
        }
        remote = living;
        hosts = Collections.unmodifiableMap(merged);
    }

    /// The outside as the decisions see it.
    private final class Outside implements Hosts {
        @Override
        public List<String> ready() {
            return new ArrayList<>(hosts.keySet());
        }

        @Override
        public boolean isReady(String host) {
            return hosts.containsKey(host);
        }

        @Override
        public int frameRowsMax(String host) {
            Peer peer = hosts.get(host);
            int rows = DispatchFrame.rowsPerFrame(encoding, current().chosen(), columns);
            return peer == null ? rows : Math.min(rows, peer.rowsMax());
        }

        @Override
        public int room(String host) {
            Peer peer = hosts.get(host);
            return peer == null ? 0 : peer.room();
        }

        @Override
        public @Nullable Placement newestPlacement() {
            return placements.get();
        }

        @Override
        public boolean send(Part part, long nowNanos) {
            Peer peer = hosts.get(part.host);
            if (peer == null) {
                return false;
            }
            long millis = TimeUnit.NANOSECONDS.toMillis(part.deadlineNanos - nowNanos);
            var header = new DispatchFrame.Header(
                    part.dispatchId,
                    step,
                    current().layer(),
                    dispatchClass,
                    encoding,
                    part.cold,
                    modelTag,
                    numericsTag,
                    round.epoch(),
                    Math.clamp(millis, 0, Integer.MAX_VALUE),
                    part.rowCount(),
                    part.width,
                    columns);
            part.sentNanos = nowNanos;
            return peer.send(header, frame -> fill(frame, part));
        }

        @Override
        public void suspect(String host, String why) {
            LOG.warn("Expert host {}: {}; its stream is opened anew", host, why);
            Peer peer = hosts.get(host);
            if (peer != null) {
                peer.reset(why);
            }
        }
    }

    private void fill(DispatchFrame frame, Part part) {
        Assignment from = current();
        for (int index = 0; index < part.rowCount(); index++) {
            long first = (long) part.rows[index] * from.chosen();
            for (int at = 0; at < part.width; at++) {
                int place = part.place(index, at);
                if (place == Part.NO_PLACE) {
                    frame.set(index, at, DispatchFrame.NO_EXPERT, 0);
                } else {
                    long term = first + place;
                    float weight = from.weights().get(JAVA_FLOAT_UNALIGNED, term * Float.BYTES);
                    frame.set(index, at, ids[(int) term], weight);
                }
            }
        }
        switch (from.rows()) {
            case RowData.Quantised(var q, var scales) -> {
                copyRows(q, columns, part, frame.values());
                copyRows(scales, (long) columns / RowEncoding.BLOCK_COLUMNS * Float.BYTES, part, frame.scales());
            }
            case RowData.Floats(var values) -> copyRows(values, (long) columns * Float.BYTES, part, frame.values());
        }
    }

    private static void copyRows(MemorySegment source, long rowBytes, Part part, MemorySegment target) {
        for (int index = 0; index < part.rowCount(); index++) {
            MemorySegment.copy(source, part.rows[index] * rowBytes, target, index * rowBytes, rowBytes);
        }
    }
}
