package org.bergfried.router.placement.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// The planner's answer in the form of EPLB: a table of slots, all of them filled, on equal workers. In this form a
/// slot gets an equal part of its expert's rows, so that an expert repeated on a worker is a heavier replica; slots
/// repeat an expert only where that balances better or nothing else is left.
///
/// @param slots `[layers][replicas]` the logical expert in each slot; slots are dealt to the workers in order.
/// @param balance the mean over the layers of the workers' mean load over that of the fullest; 1 is perfect.
public record SlotPlan(List<int[]> slots, double balance) {
    /// Copies.
    public SlotPlan {
        slots = slots.stream().map(int[]::clone).toList();
    }

    /// Plans all layers.
    ///
    /// @param load `[layers][experts]` rows.
    /// @param replicas slots of all workers together.
    /// @param groups equal groups of neighbouring experts; each stays on one node if they divide evenly over nodes.
    /// @param nodes equal nodes.
    /// @param workers equal workers of all nodes together.
    public static SlotPlan of(double[][] load, int replicas, int groups, int nodes, int workers) {
        check(workers > 0 && nodes > 0 && workers % nodes == 0, workers + " workers on " + nodes + " nodes");
        check(replicas % workers == 0, replicas + " replicas on " + workers + " workers");
        var tables = new ArrayList<int[]>();
        double sum = 0;
        for (int layer = 0; layer < load.length; layer++) {
            check(load[layer].length <= replicas, load[layer].length + " experts in " + replicas + " slots");
            check(
                    groups > 0 && load[layer].length % groups == 0,
                    load[layer].length + " experts in " + groups + " groups");
            Slots filled = best(load[layer], layer, replicas / workers, groups, nodes, workers);
            tables.add(filled.table());
            sum += filled.balance();
        }
        return new SlotPlan(tables, load.length == 0 ? 1 : sum / load.length);
    }

    /// Different experts on each worker unless repeats balance better.
    private static Slots best(double[] load, int layer, int slots, int groups, int nodes, int workers) {
        LayerProblem distinct = problem(layer, load, slots, groups, nodes, workers, false);
        LayerProblem repeating = problem(layer, load, slots, groups, nodes, workers, true);
        Slots usual = new Slots(fresh(distinct));
        Slots repeated = new Slots(fresh(repeating));
        return repeated.balance() > usual.balance() ? repeated : usual;
    }

    private static LayerTable fresh(LayerProblem problem) {
        var nothing = new boolean[problem.experts() * problem.workers()];
        return new FreshTable(problem, new GroupHomes(problem, nothing), 0).plan();
    }

    private static LayerProblem problem(
            int layer, double[] load, int slots, int groups, int nodes, int workers, boolean hasRepeats) {
        boolean isGrouped = groups % nodes == 0;
        int[] node = new int[workers];
        double[] speed = new double[workers];
        int[] room = new int[workers];
        for (int worker = 0; worker < workers; worker++) {
            node[worker] = isGrouped ? worker / (workers / nodes) : 0;
            speed[worker] = 1;
            room[worker] = slots;
        }
        return new LayerProblem(
                layer,
                load,
                speed,
                room,
                node,
                isGrouped ? nodes : 1,
                isGrouped ? groups : 1,
                slots * workers,
                hasRepeats,
                new BitSet(),
                new BitSet());
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, what + " do not divide evenly or do not fit");
        }
    }

    /// A layer's slots, in which an expert may be several times on a worker.
    private static final class Slots {
        private final LayerTable planned;
        private final LayerProblem problem;
        private final int[][] times; // [experts][workers]
        private final int[] count; // [experts]

        Slots(LayerTable planned) {
            this.planned = planned;
            this.problem = planned.problem();
            times = new int[problem.experts()][problem.workers()];
            count = new int[problem.experts()];
            for (int worker = 0; worker < problem.workers(); worker++) {
                for (int expert : planned.expertsOn(worker)) {
                    put(expert, worker, 1);
                }
            }
            for (int worker = 0; worker < problem.workers(); worker++) {
                for (int free = planned.used(worker); free < problem.slots()[worker]; free++) {
                    put(cheapest(worker), worker, 1);
                }
            }
        }

        private void put(int expert, int worker, int change) {
            times[expert][worker] += change;
            count[expert] += change;
        }

        /// The expert whose further copy makes the fullest worker least full; a new one rather than a repeated one.
        private int cheapest(int worker) {
            int best = LayerTable.NONE;
            double bestPeak = Double.POSITIVE_INFINITY;
            for (int expert = 0; expert < problem.experts(); expert++) {
                if (planned.isOn(expert, worker) || planned.mayJoin(expert, worker)) {
                    put(expert, worker, 1);
                    double peak = peak();
                    put(expert, worker, -1);
                    if (peak < bestPeak
                            || (peak == bestPeak && times[expert][worker] == 0 && times[best][worker] > 0)) {
                        best = expert;
                        bestPeak = peak;
                    }
                }
            }
            return best;
        }

        private double[] loads() {
            double[] loads = new double[problem.workers()];
            for (int expert = 0; expert < problem.experts(); expert++) {
                for (int worker = 0; worker < loads.length; worker++) {
                    loads[worker] += problem.load()[expert] * times[expert][worker] / count[expert];
                }
            }
            return loads;
        }

        private double peak() {
            return Arrays.stream(loads()).max().orElse(0);
        }

        double balance() {
            double peak = peak();
            return peak == 0 ? 1 : Arrays.stream(loads()).sum() / problem.workers() / peak;
        }

        int[] table() {
            int[] table = new int[Arrays.stream(problem.slots()).sum()];
            int slot = 0;
            for (int worker = 0; worker < problem.workers(); worker++) {
                for (int expert = 0; expert < problem.experts(); expert++) {
                    for (int i = 0; i < times[expert][worker]; i++) {
                        table[slot++] = expert;
                    }
                }
            }
            return table;
        }
    }
}
