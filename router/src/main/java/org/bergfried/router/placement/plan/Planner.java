package org.bergfried.router.placement.plan;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;

/// Plans where experts should be: a pure function, equal for equal requests. After EPLB of DeepSeek, and beyond it
/// where workers differ, memory is tight, experts are pinned, and moving costs.
public final class Planner {
    private static final double FAR_OFF = 4; // small changes hardly ever mend a layer that needs four times the time

    private final PlanIndex index;
    private final PlanSettings settings;

    private Planner(PlanIndex index) {
        this.index = index;
        this.settings = index.request().settings();
    }

    /// Makes a plan.
    ///
    /// @throws ClusterException INVALID_REQUEST if pins or bans cannot be obeyed, EXPERT_UNPLACED if the workers
    /// have too little memory for the model.
    public static Plan plan(PlanRequest request) {
        return new Planner(new PlanIndex(request)).plan();
    }

    /// The way to a target that somebody else has chosen: the current placement with some replicas more and some less.
    ///
    /// @throws ClusterException INVALID_REQUEST that says which change is impossible and why.
    public static Plan change(PlanRequest request, Set<ExpertOnWorker> added, Set<ExpertOnWorker> removed) {
        return new Planner(new PlanIndex(request)).change(added, removed);
    }

    private Plan change(Set<ExpertOnWorker> added, Set<ExpertOnWorker> removed) {
        BitSet target = new WantedChange(index, settings.replicasMax()).target(added, removed);
        boolean hasLost = false;
        for (int layer = 0; layer < index.layers(); layer++) {
            hasLost |= index.hasLost(layer);
        }
        var order = new StepOrder(index, target, hasLost);
        if (!order.isComplete()) {
            throw WantedChange.noRoom(index, added);
        }
        var before = new double[index.layers()];
        var after = new double[index.layers()];
        int[] slots = new int[index.workers()];
        for (int worker = 0; worker < slots.length; worker++) {
            slots[worker] = index.capacity(worker) > 0 ? index.experts() : 0;
        }
        for (int layer = 0; layer < index.layers(); layer++) {
            LayerProblem problem = problem(layer, slots);
            before[layer] = Balance.of(problem, placed(index.current(), layer));
            after[layer] = Balance.of(problem, placed(order.reached(), layer));
        }
        return new Plan(target(order.steps()), order.steps(), before, after, order.bytesMoved(), order.seconds(), true);
    }

    private Plan plan() {
        if (index.layers() == 0) {
            return new Plan(index.request().current(), List.of(), new double[0], new double[0], 0, 0, true);
        }
        int[][] slots = SlotBudget.divide(index);
        var problems = new LayerProblem[index.layers()];
        var before = new double[index.layers()];
        var target = new BitSet();
        var wanted = new boolean[index.layers()][];
        IntStream.range(0, index.layers())
                .parallel()
                .forEach(
                        layer -> { // no layer knows of another
                            problems[layer] = problem(layer, slots[layer]);
                            boolean[] placed = placed(index.current(), layer);
                            before[layer] = Balance.of(problems[layer], placed);
                            wanted[layer] = layerTarget(problems[layer], placed, before[layer], index.hasLost(layer));
                        });
        boolean hasLost = false;
        for (int layer = 0; layer < index.layers(); layer++) {
            setLayer(target, layer, wanted[layer]);
            hasLost |= index.hasLost(layer);
        }
        return ordered(problems, before, target, hasLost);
    }

    /// Orders the steps. Where full memory lets a layer come only so far that it would be worse than before, the
    /// layer is left as it is.
    private Plan ordered(LayerProblem[] problems, double[] before, BitSet target, boolean hasLost) {
        boolean isComplete = true;
        while (true) {
            var order = new StepOrder(index, target, hasLost);
            isComplete &= order.isComplete();
            var after = new double[problems.length];
            boolean isWorse = false;
            for (int layer = 0; layer < after.length; layer++) {
                after[layer] = Balance.of(problems[layer], placed(order.reached(), layer));
                if (!order.isComplete() && after[layer] < before[layer]) {
                    isWorse |= setLayer(target, layer, placed(index.current(), layer));
                }
            }
            if (!isWorse) {
                return new Plan(
                        target(order.steps()),
                        order.steps(),
                        before,
                        after,
                        order.bytesMoved(),
                        order.seconds(),
                        isComplete);
            }
        }
    }

    /// @return whether the target changes.
    private static boolean setLayer(BitSet target, int layer, boolean[] wanted) {
        boolean isChanged = false;
        for (int cell = 0; cell < wanted.length; cell++) {
            int bit = layer * wanted.length + cell;
            isChanged |= target.get(bit) != wanted[cell];
            target.set(bit, wanted[cell]);
        }
        return isChanged;
    }

    /// The placement after the last step: the activations' changes one upon the other.
    private Optional<Placement> target(List<PlanStep> steps) {
        List<PlanStep.Hosts> changed = new ArrayList<>();
        long epoch = 0;
        for (PlanStep step : steps) {
            if (step instanceof PlanStep.Activate activate) {
                changed.addAll(activate.changed());
                epoch = activate.epoch();
            }
        }
        Optional<Placement> current = index.request().current();
        return steps.isEmpty()
                ? current
                : Optional.of(new PlanStep.Activate(epoch, changed).placement(index.request(), current));
    }

    /// What a layer should look like: as it is, if that is sound and nothing gains enough; else the least disturbing
    /// table whose fullest worker needs hardly more time than that of a fresh one.
    private boolean[] layerTarget(LayerProblem problem, boolean[] placed, double balance, boolean hasLost) {
        boolean isSound = !hasLost && isSound(problem, placed);
        if (isSound && 1 - balance < settings.gainMin()) {
            return placed;
        }
        double ideal = Balance.ideal(problem);
        var homes = new GroupHomes(problem, placed);
        LayerTable fresh = new FreshTable(problem, homes, ideal * (1 + settings.gainMin() / 10)).plan();
        if (index.current().isEmpty()) {
            return fresh.hosted();
        }
        double peakNow = Balance.peak(Balance.times(problem, placed));
        if (isSound && fresh.peak() > peakNow * (1 - settings.gainMin())) {
            return placed;
        }
        var keeping = new KeptTable(problem, placed, homes);
        double goal = fresh.peak() * (1 + settings.gainMin());
        Optional<LayerTable> kept = peakNow > FAR_OFF * goal ? Optional.empty() : keeping.kept(goal);
        return kept.filter(table -> table.peak() <= goal)
                .or(() -> keeping.anchored(fresh, ideal / 2, goal).filter(table -> table.peak() <= goal))
                .or(() -> keeping.anchored(fresh, ideal / 4, goal).filter(table -> table.peak() <= goal))
                .map(LayerTable::hosted)
                .orElseGet(() -> keeping.relabelled(fresh));
    }

    /// Whether a layer obeys all limits as it is.
    private static boolean isSound(LayerProblem problem, boolean[] placed) {
        int workers = problem.workers();
        int[] used = new int[workers];
        for (int expert = 0; expert < problem.experts(); expert++) {
            int count = 0;
            for (int worker = 0; worker < workers; worker++) {
                boolean isHere = placed[expert * workers + worker];
                if (isHere ? problem.isBanned(expert, worker) : problem.isPinned(expert, worker)) {
                    return false;
                }
                count += isHere ? 1 : 0;
                used[worker] += isHere ? 1 : 0;
            }
            if (count == 0 || count > problem.replicasMax()) {
                return false;
            }
        }
        for (int worker = 0; worker < workers; worker++) {
            if (used[worker] > problem.slots()[worker]) {
                return false;
            }
        }
        return true;
    }

    private LayerProblem problem(int layer, int[] slots) {
        double[] load = new double[index.experts()];
        for (int expert = 0; expert < load.length; expert++) {
            load[expert] = index.request().load()[layer * load.length + expert];
        }
        double[] speed = new double[index.workers()];
        for (int worker = 0; worker < speed.length; worker++) {
            speed[worker] = index.worker(worker).rowsPerSecond();
        }
        return new LayerProblem(
                index.request().facts().moeLayers().get(layer),
                load,
                speed,
                slots,
                index.node(),
                index.nodeCount(),
                index.request().expertGroups(),
                settings.replicasMax(),
                false,
                index.ofLayer(index.pins(), layer),
                index.ofLayer(index.bans(), layer));
    }

    private boolean[] placed(BitSet bits, int layer) {
        boolean[] placed = new boolean[index.experts() * index.workers()];
        int first = layer * placed.length;
        for (int bit = bits.nextSetBit(first);
                bit >= 0 && bit < first + placed.length;
                bit = bits.nextSetBit(bit + 1)) {
            placed[bit - first] = true;
        }
        return placed;
    }
}
