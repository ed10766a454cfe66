package org.bergfried.router.placement.plan;

import java.util.Arrays;

/// Which worker hosts which experts of a layer, while it is being worked out. Keeps the load of each worker up to
/// date. No worker has more experts than slots, and replicas of an expert are on different workers unless the problem
/// allows repeats.
final class LayerTable {
    /// No expert: an empty slot.
    static final int NONE = -1;

    private final LayerProblem problem;
    private final int[] home; // [experts] the node that an expert is confined to, or NONE
    private final int[] times; // [experts * workers] how often an expert is on a worker
    private final int[][] slots; // [workers][slots], the first used[worker] are taken
    private final int[] used; // [workers]
    private final int[] count; // [experts] replicas that the load is split over
    private final double[] share; // [experts] rows of one replica
    private final double[] workerLoad; // [workers] rows

    /// An empty table.
    ///
    /// @param home `[experts]` the node that each expert is confined to, or NONE.
    LayerTable(LayerProblem problem, int[] home) {
        this.problem = problem;
        this.home = home;
        times = new int[problem.experts() * problem.workers()];
        slots = new int[problem.workers()][];
        for (int worker = 0; worker < slots.length; worker++) {
            slots[worker] = new int[problem.slots()[worker]];
        }
        used = new int[problem.workers()];
        count = new int[problem.experts()];
        share = new double[problem.experts()];
        workerLoad = new double[problem.workers()];
    }

    /// An empty table in which every expert may go to every node.
    static LayerTable unconfined(LayerProblem problem) {
        int[] home = new int[problem.experts()];
        Arrays.fill(home, NONE);
        return new LayerTable(problem, home);
    }

    /// A copy, with other homes for experts whose node will be cleared.
    LayerTable(LayerTable other, int[] home) {
        problem = other.problem;
        this.home = home;
        times = other.times.clone();
        slots = Arrays.stream(other.slots).map(int[]::clone).toArray(int[][]::new);
        used = other.used.clone();
        count = other.count.clone();
        share = other.share.clone();
        workerLoad = other.workerLoad.clone();
    }

    LayerProblem problem() {
        return problem;
    }

    int[] home() {
        return home;
    }

    /// `[experts * workers]` whether an expert is on a worker.
    boolean[] hosted() {
        boolean[] hosted = new boolean[times.length];
        for (int cell = 0; cell < hosted.length; cell++) {
            hosted[cell] = times[cell] > 0;
        }
        return hosted;
    }

    boolean isOn(int expert, int worker) {
        return times(expert, worker) > 0;
    }

    /// How often an expert is on a worker: 0 or 1 without repeats.
    int times(int expert, int worker) {
        return times[expert * problem.workers() + worker];
    }

    /// Whether an expert may be put on a worker, a free slot aside.
    boolean mayJoin(int expert, int worker) {
        return (problem.hasRepeats() || !isOn(expert, worker))
                && !problem.isBanned(expert, worker)
                && (home[expert] == NONE || home[expert] == problem.node()[worker]);
    }

    boolean hasRoom(int worker) {
        return used[worker] < slots[worker].length;
    }

    int used(int worker) {
        return used[worker];
    }

    int expertAt(int worker, int slot) {
        return slots[worker][slot];
    }

    /// A copy of what a worker hosts.
    int[] expertsOn(int worker) {
        return Arrays.copyOf(slots[worker], used[worker]);
    }

    int count(int expert) {
        return count[expert];
    }

    double share(int expert) {
        return share[expert];
    }

    /// Seconds that a worker needs.
    double time(int worker) {
        return workerLoad[worker] / problem.speed()[worker];
    }

    /// Seconds that a worker would need with so many rows more.
    double timeWith(int worker, double rows) {
        return (workerLoad[worker] + rows) / problem.speed()[worker];
    }

    /// Rows more that a worker computes in so many seconds; negative if it needs longer already.
    double rowsUntil(int worker, double seconds) {
        return seconds * problem.speed()[worker] - workerLoad[worker];
    }

    /// The worker that needs the most time; the first of several.
    int fullest() {
        int fullest = 0;
        for (int worker = 1; worker < used.length; worker++) {
            if (time(worker) > time(fullest)) {
                fullest = worker;
            }
        }
        return fullest;
    }

    /// The time of the fullest worker.
    double peak() {
        return time(fullest());
    }

    /// Splits an expert's load over so many replicas, whether they are placed yet or not.
    void split(int expert, int replicas) {
        double newShare = replicas == 0 ? 0 : problem.load()[expert] / replicas;
        int first = expert * problem.workers();
        for (int worker = 0; worker < used.length; worker++) {
            if (times[first + worker] > 0) {
                workerLoad[worker] += times[first + worker] * (newShare - share[expert]);
            }
        }
        share[expert] = newShare;
        count[expert] = replicas;
    }

    /// Puts a replica that is counted already on a worker with room.
    void place(int expert, int worker) {
        slots[worker][used[worker]++] = expert;
        times[expert * problem.workers() + worker]++;
        workerLoad[worker] += share[expert];
    }

    /// Takes a replica from a worker and keeps it counted.
    void take(int expert, int worker) {
        int slot = 0;
        while (slots[worker][slot] != expert) {
            slot++;
        }
        slots[worker][slot] = slots[worker][--used[worker]];
        times[expert * problem.workers() + worker]--;
        workerLoad[worker] -= share[expert];
    }

    /// Puts one replica more on a worker.
    void add(int expert, int worker) {
        split(expert, count[expert] + 1);
        place(expert, worker);
    }

    /// Removes a replica.
    void remove(int expert, int worker) {
        take(expert, worker);
        split(expert, count[expert] - 1);
    }

    /// Empties the workers of a node.
    void clear(int node) {
        for (int worker = 0; worker < used.length; worker++) {
            while (problem.node()[worker] == node && used[worker] > 0) {
                take(slots[worker][used[worker] - 1], worker);
            }
        }
    }
}
