package org.bergfried.worker.dispatch;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.tensor.ResultFrame.Outcome;
import org.jspecify.annotations.Nullable;

/// The decisions of one dispatch: which host computes which terms, and what is done when a host refuses, stays
/// silent or
/// dies. Time, randomness and the outside are passed in. A term (row, place) is at any time in exactly one open
/// part or
/// waits to be placed anew, and a part's sums are taken once: so the sums do not depend on what failed.
final class DispatchRound {
    private final @Nullable String self;
    private final DispatchSettings settings;
    private final RandomGenerator random;
    private final Hosts hosts;

    private final Map<Long, Part> open = new LinkedHashMap<>(); // by dispatchId, oldest first
    private final Set<String> avoided = new HashSet<>(); // hosts that are of no use in this round
    private final Set<String> draining = new HashSet<>(); // hosts that are of no use in this step
    private final Set<HostedExpert> notHot = new HashSet<>();
    private final Set<HostedExpert> notLoadable = new HashSet<>();
    private final Map<String, Busy> busy = new HashMap<>();
    private final Map<String, Integer> rowsGiven = new HashMap<>();
    private final List<Term> delayed = new ArrayList<>(); // wait until a busy host may be asked again
    private @Nullable Placement placement;
    private long nextId = 1;
    private int layer;
    private int chosen;
    private int[] ids = new int[0]; // [rows, chosen]
    private @Nullable String failure;

    private record HostedExpert(String host, int expert) {}

    private record Busy(int count, long untilNanos) {}

    private record Term(int row, int place) {
        static final Comparator<Term> BY_ROW = Comparator.comparingInt(Term::row);
    }

    /// Where a term goes: to `host`, or nowhere before a busy host has been asked again, or nowhere at all.
    private sealed interface Choice {
        record To(String host, boolean cold) implements Choice {}

        record Later() implements Choice {}

        record Nowhere() implements Choice {}
    }

    /// @param self this worker's id if it hosts experts itself.
    DispatchRound(@Nullable String self, DispatchSettings settings, RandomGenerator random, Hosts hosts) {
        this.self = self;
        this.settings = settings;
        this.random = random;
        this.hosts = hosts;
    }

    /// Fixes the placement for the layers of a step.
    void beginStep(@Nullable Placement stepPlacement) {
        placement = stepPlacement;
        draining.clear();
    }

    /// Sends the terms of a layer.
    ///
    /// @param expertIds `[rows, chosen]`.
    void begin(int newLayer, int newChosen, int[] expertIds, long nowNanos) {
        layer = newLayer;
        chosen = newChosen;
        ids = expertIds;
        open.clear();
        avoided.clear();
        notHot.clear();
        notLoadable.clear();
        busy.clear();
        rowsGiven.clear();
        delayed.clear();
        failure = null;
        var terms = new ArrayList<Term>(ids.length);
        for (int i = 0; i < ids.length; i++) {
            terms.add(new Term(i / chosen, i % chosen));
        }
        place(terms, nowNanos);
    }

    /// The epoch that frames carry.
    long epoch() {
        return placement == null ? 0 : placement.epoch();
    }

    /// The part that a result belongs to, or null if nobody waits for it any more.
    @Nullable
    Part open(long dispatchId) {
        return open.get(dispatchId);
    }

    /// All terms have been summed.
    boolean done() {
        return open.isEmpty() && delayed.isEmpty();
    }

    /// Why the round cannot end well, or null.
    @Nullable
    String failure() {
        return failure;
    }

    /// When [#onTick] has something to do if nothing else happens.
    long nextWakeNanos(long nowNanos) {
        long next = nowNanos + settings.coldTimeout().toNanos();
        for (Part part : open.values()) {
            next = Math.min(next, part.deadlineNanos);
        }
        if (!delayed.isEmpty()) {
            for (Busy each : busy.values()) {
                next = each.untilNanos > nowNanos ? Math.min(next, each.untilNanos) : next;
            }
        }
        return next;
    }

    /// The sums of a part have been added. Its host lives: its other parts get new deadlines.
    void onRows(long dispatchId, long nowNanos) {
        Part part = open.remove(dispatchId);
        if (part == null) {
            return;
        }
        busy.remove(part.host);
        for (Part other : open.values()) {
            if (other.host.equals(part.host)) {
                other.deadlineNanos = Math.max(other.deadlineNanos, nowNanos + timeoutNanos(other.host, other.cold));
            }
        }
        pump(nowNanos);
    }

    /// A host answered without sums.
    void onRefused(long dispatchId, Outcome outcome, int[] missing, long nowNanos) {
        Part part = open.remove(dispatchId);
        if (part == null) {
            return;
        }
        switch (outcome) {
            case ROWS -> throw new IllegalArgumentException("rows are no refusal");
            case STALE -> {
                placement = newer(placement, hosts.newestPlacement());
                rememberMissing(part, experts(part));
            }
            case MISSING -> rememberMissing(part, missing);
            case BUSY -> rememberBusy(part.host, nowNanos);
            case DRAINING -> {
                draining.add(part.host);
                avoided.add(part.host);
            }
        }
        place(terms(part), nowNanos);
    }

    /// The connection to a host broke: nothing that it has will come.
    void onLost(String host, long nowNanos) {
        avoided.add(host);
        var terms = new ArrayList<Term>();
        open.values().removeIf(part -> {
            boolean lost = part.host.equals(host);
            if (lost) {
                terms.addAll(terms(part));
            }
            return lost;
        });
        terms.sort(Term.BY_ROW);
        place(terms, nowNanos);
    }

    /// Time has passed, or a host has room again.
    void onTick(long nowNanos) {
        for (Part part : List.copyOf(open.values())) {
            if (open.containsKey(part.dispatchId) && nowNanos - part.deadlineNanos >= 0) {
                hosts.suspect(part.host, "dispatch " + part.dispatchId + " of layer " + layer + " was not answered");
                onLost(part.host, nowNanos);
            }
        }
        if (!delayed.isEmpty()) {
            var terms = new ArrayList<>(delayed);
            delayed.clear();
            terms.sort(Term.BY_ROW);
            place(terms, nowNanos);
        } else {
            pump(nowNanos);
        }
    }

    /// This worker's own host cannot be lost, only slow.
    private long timeoutNanos(String host, boolean cold) {
        return (cold || host.equals(self) ? settings.coldTimeout() : settings.hotTimeout()).toNanos();
    }

    /// Gives each term to a host, makes parts, and sends what has room.
    private void place(List<Term> terms, long nowNanos) {
        var builders = new LinkedHashMap<Choice.To, PartBuilder>();
        for (Term term : terms) {
            int expert = ids[term.row * chosen + term.place];
            switch (choose(expert, nowNanos)) {
                case Choice.To to -> {
                    builders.computeIfAbsent(to, ignored -> new PartBuilder()).add(term.row, term.place);
                    rowsGiven.merge(to.host, 1, Integer::sum);
                }
                case Choice.Later() -> delayed.add(term);
                case Choice.Nowhere() -> {
                    fail(expert);
                    return;
                }
            }
        }
        builders.forEach((to, builder) -> builder.cut(Math.max(1, hosts.frameRowsMax(to.host)), cut -> {
            long deadline = nowNanos + timeoutNanos(to.host, to.cold);
            var part = new Part(nextId++, to.host, to.cold, cut.width(), cut.rows(), cut.places(), deadline);
            open.put(part.dispatchId, part);
        }));
        pump(nowNanos);
    }

    private void fail(int expert) {
        failure = "expert " + expert + " of layer " + layer + " is on no worker that answers; ready are "
                + hosts.ready() + ", of no use were " + avoided;
        open.clear();
        delayed.clear();
    }

    /// Sends parts for which their hosts have room, the oldest first; a small one may pass a large one that waits.
    private void pump(long nowNanos) {
        for (Part part : List.copyOf(open.values())) {
            if (part.sent || !open.containsKey(part.dispatchId)) {
                continue;
            }
            if (!hosts.isReady(part.host)) {
                onLost(part.host, nowNanos);
            } else if (hosts.room(part.host) >= part.rowCount()) {
                part.sent = true;
                if (!hosts.send(part, nowNanos)) {
                    onLost(part.host, nowNanos);
                }
            }
        }
    }

    private Choice choose(int expert, long nowNanos) {
        if (placement == null) {
            return chooseCold(expert, nowNanos);
        }
        String best = null;
        boolean mustWait = false;
        for (String host : placement.replicas(layer, expert)) {
            if (usable(host) && !notHot.contains(new HostedExpert(host, expert))) {
                if (isBusy(host, nowNanos)) {
                    mustWait = true;
                } else if (best == null || rowsGiven(host) < rowsGiven(best)) {
                    best = host;
                }
            }
        }
        if (best != null) {
            return new Choice.To(best, false);
        }
        return mustWait ? new Choice.Later() : chooseCold(expert, nowNanos);
    }

    /// Any worker that has the model, this one last. The same expert goes to the same worker each time, where it is
    /// loaded then.
    private Choice chooseCold(int expert, long nowNanos) {
        var candidates = new ArrayList<String>();
        boolean mustWait = false;
        for (String host : hosts.ready()) {
            if (coldUsable(host, expert) && !host.equals(self)) {
                if (isBusy(host, nowNanos)) {
                    mustWait = true;
                } else {
                    candidates.add(host);
                }
            }
        }
        if (placement != null && !candidates.isEmpty()) {
            return new Choice.To(candidates.get((expert + layer) % candidates.size()), true);
        }
        if (self != null && coldUsable(self, expert)) {
            return isBusy(self, nowNanos) ? new Choice.Later() : new Choice.To(self, true);
        }
        if (!candidates.isEmpty()) {
            return new Choice.To(candidates.get((expert + layer) % candidates.size()), true);
        }
        return mustWait ? new Choice.Later() : new Choice.Nowhere();
    }

    private boolean usable(String host) {
        return hosts.isReady(host) && !avoided.contains(host) && !draining.contains(host);
    }

    private boolean coldUsable(String host, int expert) {
        return usable(host) && !notLoadable.contains(new HostedExpert(host, expert));
    }

    private boolean isBusy(String host, long nowNanos) {
        Busy state = busy.get(host);
        return state != null && nowNanos - state.untilNanos < 0;
    }

    private int rowsGiven(String host) {
        return rowsGiven.getOrDefault(host, 0);
    }

    /// Experts that a host denies are not asked of it again; a host that denies something else makes no sense and
    /// is left
    /// alone.
    private void rememberMissing(Part part, int[] missing) {
        Set<HostedExpert> denied = part.cold ? notLoadable : notHot;
        Set<Integer> asked = new HashSet<>();
        for (int expert : experts(part)) {
            asked.add(expert);
        }
        boolean sensible = false;
        for (int expert : missing) {
            if (asked.contains(expert)) {
                denied.add(new HostedExpert(part.host, expert));
                sensible = true;
            }
        }
        if (!sensible) {
            avoided.add(part.host);
        }
    }

    private void rememberBusy(String host, long nowNanos) {
        Busy before = busy.get(host);
        int count = before == null ? 1 : before.count + 1;
        if (count > settings.busyRetriesMax()) {
            avoided.add(host);
            return;
        }
        long pause = settings.busyBackoff().toNanos() << (count - 1);
        busy.put(host, new Busy(count, nowNanos + pause + random.nextLong(pause / 2 + 1)));
    }

    private int[] experts(Part part) {
        return terms(part).stream()
                .mapToInt(term -> ids[term.row * chosen + term.place])
                .distinct()
                .toArray();
    }

    private static List<Term> terms(Part part) {
        var terms = new ArrayList<Term>();
        for (int index = 0; index < part.rowCount(); index++) {
            for (int at = 0; at < part.width; at++) {
                if (part.place(index, at) != Part.NO_PLACE) {
                    terms.add(new Term(part.rows[index], part.place(index, at)));
                }
            }
        }
        return terms;
    }

    private static @Nullable Placement newer(@Nullable Placement ours, @Nullable Placement other) {
        return other != null && (ours == null || other.supersedes(ours)) ? other : ours;
    }
}
