package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// Works out tables for one layer: a fresh one, as if nothing were placed, and one that keeps what is placed.
final class LayerPlanner {
    private static final double GOOD_ENOUGH = 0.98; // exchanging groups costs time and gains little above
    private static final int EXCHANGE_ROUNDS = 2;
    private static final int EXCHANGES_TRIED = 4;

    private final LayerProblem problem;
    private final boolean[] placed;
    private final double closeEnough;
    private final GroupHomes homes;
    private final int[] everyWorker;
    private final int[] everyExpert;

    /// @param placed `[experts * workers]` what is where now.
    /// @param closeEnough a fresh table is not made better once its fullest worker needs no more seconds than that.
    LayerPlanner(LayerProblem problem, boolean[] placed, double closeEnough) {
        this.closeEnough = closeEnough;
        this.problem = problem;
        this.placed = placed;
        this.homes = new GroupHomes(problem, placed);
        this.everyWorker = IntStream.range(0, problem.workers()).toArray();
        this.everyExpert = IntStream.range(0, problem.experts()).toArray();
    }

    /// A table from nothing; each group of experts on one node where groups divide evenly.
    LayerTable fresh() {
        if (homes.isPossible()) {
            Optional<LayerTable> grouped = homes.pack().flatMap(this::grouped);
            if (grouped.isPresent()) {
                return withExchangedGroups(grouped.get());
            }
        }
        return freshEverywhere();
    }

    /// A table that starts from what is placed, drops what must not be there or has no room, adds what is missing,
    /// and changes more only until the fullest worker needs no more than `goal` seconds.
    ///
    /// @return nothing if an expert finds no place this way.
    Optional<LayerTable> kept(double goal) {
        int[] free = free();
        int[] home = homes.isPossible() ? homes.present().orElse(free) : free;
        var table = new LayerTable(problem, home);
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

    private LayerTable freshEverywhere() {
        var table = new LayerTable(problem, free());
        int unplaced = new Seeding(table, everyWorker, everyExpert).fill();
        if (unplaced != LayerTable.NONE) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "expert " + unplaced + " of layer " + problem.layer()
                            + " finds no worker: pins and bans leave no room for it; lift one of them");
        }
        new Refinement(table).run(closeEnough);
        Optional<LayerTable> even = even().filter(other -> other.peak() < table.peak());
        even.ifPresent(other -> new Refinement(other).run(closeEnough));
        return even.orElse(table);
    }

    /// The even placement, where nothing forbids it: the planner is never worse.
    private Optional<LayerTable> even() {
        int[] hosts = IntStream.of(everyWorker)
                .filter(worker -> problem.slots()[worker] > 0)
                .toArray();
        if (!problem.pins().isEmpty() || !problem.bans().isEmpty()) {
            return Optional.empty();
        }
        var table = new LayerTable(problem, free());
        for (int expert : everyExpert) {
            int worker = hosts[(expert + problem.layer()) % hosts.length];
            if (!table.hasRoom(worker)) {
                return Optional.empty();
            }
            table.add(expert, worker);
        }
        return Optional.of(table);
    }

    private Optional<LayerTable> grouped(int[] home) {
        var table = new LayerTable(problem, home);
        for (int node = 0; node < problem.nodeCount(); node++) {
            if (!fill(table, node)) {
                return Optional.empty();
            }
        }
        new Refinement(table).run(closeEnough);
        return Optional.of(table);
    }

    private boolean fill(LayerTable table, int node) {
        int[] workers = IntStream.of(everyWorker)
                .filter(worker -> problem.node()[worker] == node)
                .toArray();
        int[] experts = IntStream.of(everyExpert)
                .filter(expert -> table.home()[expert] == node)
                .toArray();
        return new Seeding(table, workers, experts).fill() == LayerTable.NONE;
    }

    /// Tries to relieve the fullest node by exchanging one of its groups for one of another node.
    private LayerTable withExchangedGroups(LayerTable table) {
        LayerTable best = table;
        for (int round = 0; round < EXCHANGE_ROUNDS && problem.pins().isEmpty(); round++) {
            if (best.peak() == 0 || Balance.ideal(problem) / best.peak() > GOOD_ENOUGH) {
                return best;
            }
            LayerTable start = best;
            for (Exchange exchange : exchanges(start)) {
                LayerTable tried = exchanged(start, exchange).orElse(best);
                best = tried.peak() < best.peak() ? tried : best;
            }
            if (best == start) {
                return best;
            }
        }
        return best;
    }

    private record Exchange(int group, int other, double time) {}

    /// The most promising exchanges, by the time that the fuller of both nodes would need at least.
    private List<Exchange> exchanges(LayerTable table) {
        int[] home = table.home();
        int fullest = problem.node()[table.fullest()];
        double[] speed = homes.nodeSpeed();
        return IntStream.of(homes.groupsOf(home, fullest))
                .boxed()
                .flatMap(group -> IntStream.range(0, problem.nodeCount())
                        .filter(node -> node != fullest)
                        .boxed()
                        .flatMap(node -> IntStream.of(homes.groupsOf(home, node))
                                .mapToObj(other -> new Exchange(
                                        group,
                                        other,
                                        Math.max(
                                                nodeTime(home, speed, fullest, group, other),
                                                nodeTime(home, speed, node, other, group))))))
                .filter(exchange -> exchange.time < table.peak())
                .sorted(Comparator.comparingDouble(Exchange::time))
                .limit(EXCHANGES_TRIED)
                .toList();
    }

    private double nodeTime(int[] home, double[] speed, int node, int leaving, int joining) {
        double load = IntStream.of(homes.groupsOf(home, node))
                .mapToDouble(homes::load)
                .sum();
        return (load - homes.load(leaving) + homes.load(joining)) / speed[node];
    }

    private Optional<LayerTable> exchanged(LayerTable from, Exchange exchange) {
        int[] home = homes.exchanged(from.home(), exchange.group, exchange.other);
        int groupSize = problem.experts() / problem.expertGroups();
        int one = home[exchange.group * groupSize];
        int other = home[exchange.other * groupSize];
        var table = new LayerTable(from, home);
        table.clear(one);
        table.clear(other);
        if (!fill(table, one) || !fill(table, other)) {
            return Optional.empty();
        }
        new Refinement(table).run(closeEnough);
        return Optional.of(table);
    }

    private int[] free() {
        int[] home = new int[problem.experts()];
        Arrays.fill(home, LayerTable.NONE);
        return home;
    }
}
