package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// A first table for the workers of one node (or for all), as EPLB makes it: give each free slot to the expert with
/// the heaviest replicas, then put the replicas, heaviest first, where the work is done soonest. Two things differ:
/// replicas of an expert go to different workers, and a worker's time counts, not its load.
///
/// A thrifty seeding splits only experts that are too heavy for every worker and leaves slots free. It is often the
/// better one where workers differ: a fast worker must get its share of the rows into the slots that it has, and if all
/// experts were split until all replicas are alike, fast workers would be full and idle, and slow ones late.
final class Seeding {
    private static final double HEAVY = 2; // times the mean replica of the worker that needs the heaviest ones

    private final LayerTable table;
    private final LayerProblem problem;
    private final int[] workers;
    private final int[] experts;
    private final boolean isThrifty;
    private final Room room;

    /// @param workers the workers of the node; empty ones.
    /// @param experts the experts that belong there.
    /// @param isThrifty whether slots are left free.
    Seeding(LayerTable table, int[] workers, int[] experts, boolean isThrifty) {
        this.table = table;
        this.problem = table.problem();
        this.workers = workers;
        this.experts = experts;
        this.isThrifty = isThrifty;
        this.room = new Room(table, workers);
    }

    /// Fills the workers.
    ///
    /// @return an expert that fits nowhere, or NONE.
    int fill() {
        replicate();
        for (int expert : experts) {
            placePinned(expert);
        }
        var heaviestFirst = Comparator.comparingDouble((Integer expert) -> -table.share(expert));
        int[] order = Arrays.stream(experts)
                .boxed()
                .sorted(heaviestFirst)
                .mapToInt(Integer::intValue)
                .toArray();
        for (int expert : order) {
            int placed = problem.pinCount(expert);
            int wanted = table.count(expert);
            for (int i = placed; i < wanted; i++) {
                if (!room.place(expert, i == 0)) {
                    if (i == 0) {
                        return expert;
                    }
                    table.split(expert, table.count(expert) - 1);
                }
            }
        }
        return LayerTable.NONE;
    }

    private void replicate() {
        int free = IntStream.of(workers).map(worker -> problem.slots()[worker]).sum();
        int hosts = (int) IntStream.of(workers)
                .filter(worker -> problem.slots()[worker] > 0)
                .count();
        int most = problem.hasRepeats() ? problem.replicasMax() : Math.min(hosts, problem.replicasMax());
        for (int expert : experts) {
            table.split(expert, Math.max(1, problem.pinCount(expert)));
            free -= table.count(expert);
        }
        double heavy = heavyShare();
        for (; free > 0; free--) {
            int heaviest = heaviest(most);
            if (heaviest == LayerTable.NONE || table.share(heaviest) < heavy) {
                return;
            }
            table.split(heaviest, table.count(heaviest) + 1);
        }
    }

    /// Rows from which on a replica is split further.
    private double heavyShare() {
        double most = 0;
        for (int worker : workers) {
            if (isThrifty && problem.slots()[worker] > 0) {
                most = Math.max(most, problem.speed()[worker] / problem.slots()[worker]);
            }
        }
        return HEAVY * most * Balance.ideal(problem);
    }

    /// The expert with the heaviest replicas that may have more; of equal ones the first, of idle ones that with the
    /// fewest.
    private int heaviest(int most) {
        int heaviest = LayerTable.NONE;
        for (int expert : experts) {
            if (table.count(expert) < most && (heaviest == LayerTable.NONE || isHeavier(expert, heaviest))) {
                heaviest = expert;
            }
        }
        return heaviest;
    }

    private boolean isHeavier(int expert, int other) {
        boolean areIdle = table.share(expert) == 0 && table.share(other) == 0;
        return areIdle ? table.count(expert) < table.count(other) : table.share(expert) > table.share(other);
    }

    private void placePinned(int expert) {
        if (problem.pinCount(expert) == 0) {
            return;
        }
        for (int worker : workers) {
            if (problem.isPinned(expert, worker)) {
                table.place(expert, worker);
            }
        }
    }
}
