package org.bergfried.router.placement.plan;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// Works out a table for one layer from nothing: seeded as EPLB does, then refined. Where workers differ, a thrifty
/// seeding is tried, too: first if they differ much, else if the other one is not good enough.
final class FreshTable {
    private static final double GOOD_ENOUGH = 0.98; // trying more costs time and gains little above
    private static final double MUCH = 1.5;
    private static final double GOOD_IF_MUCH = 0.95; // a full table of much different workers takes long to refine
    private static final int EXCHANGE_ROUNDS = 2;
    private static final int EXCHANGES_TRIED = 4;

    private final LayerProblem problem;
    private final double closeEnough;
    private final GroupHomes homes;
    private final int[] everyWorker;
    private final int[] everyExpert;

    /// @param homes where groups of experts may live.
    /// @param closeEnough the table is not made better once its fullest worker needs no more seconds than that.
    FreshTable(LayerProblem problem, GroupHomes homes, double closeEnough) {
        this.problem = problem;
        this.homes = homes;
        this.closeEnough = closeEnough;
        this.everyWorker = IntStream.range(0, problem.workers()).toArray();
        this.everyExpert = IntStream.range(0, problem.experts()).toArray();
    }

    /// A table from nothing; each group of experts on one node where groups divide evenly.
    LayerTable plan() {
        if (homes.isPossible()) {
            Optional<LayerTable> grouped = homes.pack().flatMap(home -> best(isThrifty -> grouped(home, isThrifty)));
            if (grouped.isPresent()) {
                return withExchangedGroups(grouped.get());
            }
        }
        return everywhere();
    }

    private LayerTable everywhere() {
        LayerTable table = best(isThrifty -> Optional.of(everywhere(isThrifty))).orElseThrow();
        Optional<LayerTable> even = even().filter(other -> other.peak() < table.peak());
        even.ifPresent(other -> new Refinement(other).run(closeEnough));
        return even.orElse(table);
    }

    private LayerTable everywhere(boolean isThrifty) {
        var table = LayerTable.unconfined(problem);
        int unplaced = new Seeding(table, everyWorker, everyExpert, isThrifty).fill();
        if (unplaced != LayerTable.NONE) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "expert " + unplaced + " of layer " + problem.layer()
                            + " finds no worker: pins and bans leave no room for it; lift one of them");
        }
        new Refinement(table).run(closeEnough);
        return table;
    }

    /// The better of a full and a thrifty table; one of them if it is good enough or workers are alike.
    private Optional<LayerTable> best(Function<Boolean, Optional<LayerTable>> filled) {
        double difference = difference();
        boolean isThriftyFirst = difference > MUCH;
        Optional<LayerTable> first = filled.apply(isThriftyFirst);
        double enough = isThriftyFirst ? GOOD_IF_MUCH : GOOD_ENOUGH;
        if (difference == 1 || first.filter(table -> isBalanced(table, enough)).isPresent()) {
            return first;
        }
        Optional<LayerTable> second = filled.apply(!isThriftyFirst);
        boolean isBetter = first.isEmpty()
                || (second.isPresent() && second.get().peak() < first.get().peak());
        return isBetter ? second : first;
    }

    /// Rows per second that a worker has for each of its slots: the most of a worker over the least of one.
    private double difference() {
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (int worker : everyWorker) {
            if (problem.slots()[worker] > 0) {
                double perSlot = problem.speed()[worker] / problem.slots()[worker];
                least = Math.min(least, perSlot);
                most = Math.max(most, perSlot);
            }
        }
        return most / least;
    }

    private boolean isBalanced(LayerTable table, double enough) {
        return table.peak() == 0 || Balance.ideal(problem) / table.peak() > enough;
    }

    /// The even placement, where nothing forbids it: the planner is never worse.
    private Optional<LayerTable> even() {
        int[] hosts = IntStream.of(everyWorker)
                .filter(worker -> problem.slots()[worker] > 0)
                .toArray();
        if (!problem.pins().isEmpty() || !problem.bans().isEmpty()) {
            return Optional.empty();
        }
        var table = LayerTable.unconfined(problem);
        for (int expert : everyExpert) {
            int worker = hosts[(expert + problem.layer()) % hosts.length];
            if (!table.hasRoom(worker)) {
                return Optional.empty();
            }
            table.add(expert, worker);
        }
        return Optional.of(table);
    }

    private Optional<LayerTable> grouped(int[] home, boolean isThrifty) {
        var table = new LayerTable(problem, home);
        for (int node = 0; node < problem.nodeCount(); node++) {
            if (!fill(table, node, isThrifty)) {
                return Optional.empty();
            }
        }
        new Refinement(table).run(closeEnough);
        return Optional.of(table);
    }

    private boolean fill(LayerTable table, int node, boolean isThrifty) {
        int[] workers = IntStream.of(everyWorker)
                .filter(worker -> problem.node()[worker] == node)
                .toArray();
        int[] experts = IntStream.of(everyExpert)
                .filter(expert -> table.home()[expert] == node)
                .toArray();
        return new Seeding(table, workers, experts, isThrifty).fill() == LayerTable.NONE;
    }

    /// Tries to relieve the fullest node by exchanging one of its groups for one of another node.
    private LayerTable withExchangedGroups(LayerTable table) {
        LayerTable best = table;
        for (int round = 0; round < EXCHANGE_ROUNDS && problem.pins().isEmpty(); round++) {
            if (isBalanced(best, GOOD_ENOUGH)) {
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
        boolean isThrifty = difference() > MUCH;
        if (!fill(table, one, isThrifty) || !fill(table, other, isThrifty)) {
            return Optional.empty();
        }
        new Refinement(table).run(closeEnough);
        return Optional.of(table);
    }
}
