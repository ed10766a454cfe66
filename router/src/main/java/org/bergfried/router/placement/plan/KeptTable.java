package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.IntStream;

/// Works out tables for one layer that leave experts where they are as far as that is good.
final class KeptTable {
    private final LayerProblem problem;
    private final boolean[] placed;
    private final GroupHomes homes;
    private final int[] everyWorker;
    private final int[] everyExpert;

    /// @param placed `[experts * workers]` what is where now.
    /// @param homes where groups of experts may live.
    KeptTable(LayerProblem problem, boolean[] placed, GroupHomes homes) {
        this.problem = problem;
        this.placed = placed;
        this.homes = homes;
        this.everyWorker = IntStream.range(0, problem.workers()).toArray();
        this.everyExpert = IntStream.range(0, problem.experts()).toArray();
    }

    /// A table that starts from what is placed, drops what must not be there or has no room, adds what is missing,
    /// and changes more only until the fullest worker needs no more than `goal` seconds.
    ///
    /// @return nothing if an expert finds no place this way.
    Optional<LayerTable> kept(double goal) {
        LayerTable table = homes.isPossible()
                ? homes.present()
                        .map(home -> new LayerTable(problem, home))
                        .orElseGet(() -> LayerTable.unconfined(problem))
                : LayerTable.unconfined(problem);
        if (!placePins(table)) {
            return Optional.empty();
        }
        int[] order = heaviestFirst();
        for (int most : new int[] {1, problem.replicasMax()}) {
            for (int expert : order) {
                keepReplicas(table, expert, most);
            }
        }
        return withMissing(table, order, goal);
    }

    /// A table that is packed anew, heaviest replicas first, but leaves each replica on a worker that has it unless
    /// that one would need more than `goal` seconds.
    ///
    /// @param fresh tells homes and how many replicas are of use at most.
    /// @param shareMax seconds of the heaviest replica: experts get more replicas only above.
    Optional<LayerTable> anchored(LayerTable fresh, double shareMax, double goal) {
        var table = new LayerTable(problem, fresh.home());
        if (!placePins(table)) {
            return Optional.empty();
        }
        int[] pinned = IntStream.of(everyExpert).map(table::count).toArray();
        double meanSpeed = Arrays.stream(problem.speed()).average().orElse(1);
        for (int expert : everyExpert) {
            double wanted = Math.ceil(problem.load()[expert] / meanSpeed / shareMax);
            int count = (int) Math.min(fresh.count(expert), Math.max(1, wanted));
            table.split(expert, Math.max(pinned[expert], count));
        }
        int[] order = byShare(table);
        for (int expert : order) {
            int missing = table.count(expert) - pinned[expert];
            for (int i = 0; i < missing; i++) {
                if (!placeAnchored(table, expert, goal)) {
                    table.split(expert, table.count(expert) - 1);
                }
            }
        }
        return withMissing(table, order, goal);
    }

    private boolean placeAnchored(LayerTable table, int expert, double goal) {
        int best = LayerTable.NONE;
        for (int worker : everyWorker) {
            if (placed[expert * problem.workers() + worker]
                    && table.hasRoom(worker)
                    && table.mayJoin(expert, worker)
                    && table.timeWith(worker, table.share(expert)) <= goal
                    && (best == LayerTable.NONE || table.time(worker) < table.time(best))) {
                best = worker;
            }
        }
        if (best == LayerTable.NONE) {
            return new Room(table, everyWorker).place(expert, false);
        }
        table.place(expert, best);
        return true;
    }

    private boolean placePins(LayerTable table) {
        for (int cell : problem.pins().stream().toArray()) {
            int expert = cell / problem.workers();
            int worker = cell % problem.workers();
            if (!table.mayJoin(expert, worker) || !table.hasRoom(worker)) {
                return false;
            }
            table.add(expert, worker);
        }
        return true;
    }

    private Optional<LayerTable> withMissing(LayerTable table, int[] order, double goal) {
        var room = new Room(table, everyWorker);
        for (int expert : order) {
            if (table.count(expert) == 0) {
                table.split(expert, 1);
                if (!room.place(expert, true)) {
                    return Optional.empty();
                }
            }
        }
        new Refinement(table).run(goal);
        return Optional.of(table);
    }

    private int[] heaviestFirst() {
        var order = Comparator.comparingDouble((Integer expert) -> -problem.load()[expert]);
        return IntStream.of(everyExpert)
                .boxed()
                .sorted(order)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private int[] byShare(LayerTable table) {
        var order = Comparator.comparingDouble((Integer expert) -> -table.share(expert));
        return IntStream.of(everyExpert)
                .boxed()
                .sorted(order)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private void keepReplicas(LayerTable table, int expert, int most) {
        for (int worker : everyWorker) {
            if (table.count(expert) < most
                    && placed[expert * problem.workers() + worker]
                    && table.hasRoom(worker)
                    && table.mayJoin(expert, worker)) {
                table.add(expert, worker);
            }
        }
    }

    /// The contents of a table over the workers, as close to what is placed as can be had by exchanging all of one
    /// worker with all of another that is alike: same speed, slots and node.
    ///
    /// @return `[experts * workers]`.
    boolean[] relabelled(LayerTable table) {
        boolean[] hosted = table.hosted();
        if (!problem.pins().isEmpty() || !problem.bans().isEmpty()) {
            return hosted;
        }
        int workers = problem.workers();
        int[][] common = new int[workers][workers];
        for (int from : everyWorker) {
            for (int expert : table.expertsOn(from)) {
                for (int to : everyWorker) {
                    common[from][to] += placed[expert * workers + to] ? 1 : 0;
                }
            }
        }
        int[] workerOf = Matching.match(
                common,
                (one, other) -> problem.speed()[one] == problem.speed()[other]
                        && problem.slots()[one] == problem.slots()[other]
                        && problem.node()[one] == problem.node()[other]);
        boolean[] relabelled = new boolean[hosted.length];
        for (int cell = 0; cell < hosted.length; cell++) {
            int worker = cell % workers;
            if (hosted[cell]) {
                relabelled[cell - worker + workerOf[worker]] = true;
            }
        }
        return relabelled;
    }
}
