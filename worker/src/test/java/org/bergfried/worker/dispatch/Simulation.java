package org.bergfried.worker.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.tensor.ResultFrame.Outcome;
import org.jspecify.annotations.Nullable;

/// One dispatch in a simulated cluster. Everything that happens follows from the seed.
final class Simulation {
    private static final int EXPERTS = 8;
    private static final int CHOSEN = 3;
    private static final int LAYER = 3;
    private static final long MILLI = 1_000_000;
    private static final int EVENTS_MAX = 20_000;

    private final SplittableRandom random;
    private final int faultPercent;
    private final PriorityQueue<Event> future =
            new PriorityQueue<>(Comparator.comparingLong(Event::nanos).thenComparingLong(Event::number));
    private final DispatchRound round;
    private final int rows;
    private final int[] ids; // [rows, CHOSEN]
    private final int[] summed; // [rows, CHOSEN], how often
    private long events;
    private long now;
    private int dispatches;
    private int initialDispatches;
    private long course; // a hash of everything that happened

    /// How it went.
    record Result(@Nullable String failure, int dispatches, int dispatchesWithoutFaults, long nanos, long course) {}

    private record Event(long nanos, long number, Runnable action) {}

    Simulation(long seed, boolean hostsItself) {
        this.random = new SplittableRandom(seed);
        this.faultPercent = random.nextInt(90);
        var hosts = new SimulatedHosts();
        int workers = 1 + random.nextInt(5);
        var names = new ArrayList<String>();
        for (int i = 0; i < workers; i++) {
            names.add("w" + i);
        }
        hosts.ready.addAll(names);
        if (hostsItself) {
            hosts.ready.add("self");
        }
        hosts.frameRowsMax = 1 + random.nextInt(10);
        hosts.ready.forEach(host -> hosts.room.put(host, hosts.frameRowsMax + random.nextInt(10)));
        round = new DispatchRound(hostsItself ? "self" : null, DispatchSettings.defaults(), random.split(), hosts);
        round.beginStep(random.nextInt(10) == 0 ? null : placement(1, names));
        hosts.newest = placement(2, names);
        rows = 1 + random.nextInt(30);
        ids = new int[rows * CHOSEN];
        summed = new int[ids.length];
        for (int row = 0; row < rows; row++) {
            int first = random.nextInt(EXPERTS);
            for (int place = 0; place < CHOSEN; place++) {
                ids[row * CHOSEN + place] = (first + place) % EXPERTS;
            }
        }
    }

    private Placement placement(long epoch, List<String> workers) {
        var facts = new PlacementFacts(List.of(LAYER), EXPERTS);
        var table = new ArrayList<List<String>>();
        for (int cell = 0; cell < EXPERTS; cell++) {
            String first = workers.get(random.nextInt(workers.size()));
            String second = workers.get(random.nextInt(workers.size()));
            table.add(first.equals(second) ? List.of(first) : List.of(first, second));
        }
        return new Placement("m", epoch, "p" + epoch, facts, workers, table);
    }

    Result run() {
        round.begin(LAYER, CHOSEN, ids, now);
        initialDispatches = dispatches;
        while (!round.done()) {
            assertTrue(++events < EVENTS_MAX, "the round does not end");
            long wake = round.nextWakeNanos(now);
            Event next = future.peek();
            if (next != null && next.nanos <= wake) {
                future.remove();
                now = Math.max(now, next.nanos);
                next.action.run();
            } else {
                now = Math.max(now, wake);
            }
            round.onTick(now);
        }
        if (round.failure() == null) {
            for (int i = 0; i < summed.length; i++) {
                assertEquals(1, summed[i], "term " + i);
            }
        }
        return new Result(round.failure(), dispatches, initialDispatches, now, course);
    }

    private void later(long delay, Runnable action) {
        future.add(new Event(now + delay, events++, action));
    }

    private void note(long what) {
        course = course * 31 + what * 7919 + now;
    }

    private final class SimulatedHosts extends FakeHosts {
        @Override
        public boolean send(Part part, long nowNanos) {
            assertTrue(room(part.host) >= part.rowCount(), "more rows than the credit");
            assertTrue(ready.contains(part.host), "sent to a host that does not answer");
            super.send(part, nowNanos);
            dispatches++;
            note(part.dispatchId);
            boolean faulty = !part.host.equals("self") && random.nextInt(100) < faultPercent;
            int fault = faulty ? random.nextInt(8) : -1;
            long delay = random.nextInt(1, 50) * MILLI;
            switch (fault) {
                case 0 -> later(delay, () -> refuse(part, Outcome.BUSY));
                case 1 -> later(delay, () -> refuse(part, Outcome.DRAINING));
                case 2 -> later(delay, () -> refuse(part, Outcome.STALE));
                case 3, 4 ->
                    later(delay, () -> refuse(part, Outcome.MISSING, ids[part.rows[0] * CHOSEN + part.place(0, 0)]));
                case 5 -> later(delay, () -> die(part.host));
                case 6 -> later(40_000 * MILLI, () -> answer(part)); // far beyond every deadline
                case 7 -> {
                    return false;
                }
                default -> later(delay, () -> answer(part));
            }
            return true;
        }

        private void refuse(Part part, Outcome outcome, int... missing) {
            room.merge(part.host, part.rowCount(), Integer::sum);
            if (ready.contains(part.host)) {
                note(outcome.name().hashCode());
                round.onRefused(part.dispatchId, outcome, missing, now);
            }
        }

        /// A result of a dispatch that was given up must not be summed: the round does not know it any more.
        private void answer(Part part) {
            room.merge(part.host, part.rowCount(), Integer::sum);
            if (round.open(part.dispatchId) != null) {
                note(100);
                for (int index = 0; index < part.rowCount(); index++) {
                    for (int at = 0; at < part.width; at++) {
                        if (part.place(index, at) != Part.NO_PLACE) {
                            summed[part.rows[index] * CHOSEN + part.place(index, at)]++;
                        }
                    }
                }
                round.onRows(part.dispatchId, now);
            }
        }

        private void die(String host) {
            note(200);
            ready.remove(host);
            round.onLost(host, now);
            later(1000 * MILLI, () -> ready.add(host));
        }

        @Override
        public void suspect(String host, String why) {
            super.suspect(host, why);
            if (host.equals("self")) {
                ready.add(host); // cannot be lost
            } else {
                later(500 * MILLI, () -> ready.add(host));
            }
        }
    }
}
