package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;

/// Divides the memory of each worker among the layers: as many slots for each, and what is left over to the layers
/// that have the fewest. Slots that are in use already stay where they are, as long as every layer has enough. A worker
/// without memory for experts, because it is being drained, gets none, even of experts that take no memory.
final class SlotBudget {
    private final PlanIndex index;
    private final int[][] most; // [layers][workers]: experts that are not banned there

    private SlotBudget(PlanIndex index) {
        this.index = index;
        most = new int[index.layers()][index.workers()];
        for (int[] layer : most) {
            Arrays.fill(layer, index.experts());
        }
        index.bans().stream().forEach(bit -> most[layer(bit)][bit % index.workers()]--);
    }

    /// Slots per layer and worker, `[layers][workers]`.
    static int[][] divide(PlanIndex index) {
        var budget = new SlotBudget(index);
        int[][] pinned = budget.counts(index.pins());
        BitSet kept = (BitSet) index.current().clone();
        kept.andNot(index.bans());
        kept.or(index.pins());
        int[][] slots = budget.divide(budget.counts(kept), pinned);
        if (budget.isEnough(slots)) {
            return slots;
        }
        int[][] fromPins = budget.divide(pinned, pinned);
        if (!budget.isEnough(fromPins)) {
            throw budget.tooLittleRoom(fromPins);
        }
        return fromPins;
    }

    private int layer(int bit) {
        return bit / index.workers() / index.experts();
    }

    private int[][] counts(BitSet bits) {
        int[][] counts = new int[index.layers()][index.workers()];
        bits.stream().forEach(bit -> counts[layer(bit)][bit % index.workers()]++);
        return counts;
    }

    /// @param wished `[layers][workers]` slots that a worker should have at least, if its memory is enough for them.
    /// @param pinned slots that it must have.
    private int[][] divide(int[][] wished, int[][] pinned) {
        int[][] slots = new int[index.layers()][index.workers()];
        int[] total = new int[index.layers()];
        for (int worker = 0; worker < index.workers(); worker++) {
            int[][] least = fits(wished, worker, 0) ? wished : pinned;
            if (!fits(least, worker, 0)) {
                throw tooManyPins();
            }
            int level = level(least, worker);
            for (int layer = 0; layer < index.layers(); layer++) {
                slots[layer][worker] = slots(least, layer, worker, level);
                total[layer] += slots[layer][worker];
            }
        }
        for (int worker = 0; worker < index.workers(); worker++) {
            giveRest(slots, total, worker);
        }
        return slots;
    }

    private int slots(int[][] least, int layer, int worker, int level) {
        return Math.max(least[layer][worker], Math.min(level, most[layer][worker]));
    }

    private boolean fits(int[][] least, int worker, int level) {
        return index.capacity(worker) > 0
                ? bytes(least, worker, level) <= index.capacity(worker)
                : level == 0 && Arrays.stream(least).allMatch(layer -> layer[worker] == 0);
    }

    private long bytes(int[][] least, int worker, int level) {
        long bytes = 0;
        for (int layer = 0; layer < index.layers(); layer++) {
            bytes += index.bytes(layer) * slots(least, layer, worker, level);
        }
        return bytes;
    }

    /// The most slots that a worker can give every layer.
    private int level(int[][] least, int worker) {
        int low = 0;
        int high = index.experts();
        while (low < high) {
            int middle = (low + high + 1) / 2;
            if (fits(least, worker, middle)) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private void giveRest(int[][] slots, int[] total, int worker) {
        long rest = index.capacity(worker) - bytes(slots, worker, 0);
        for (int layer = neediest(slots, total, worker, rest); layer >= 0; ) {
            slots[layer][worker]++;
            total[layer]++;
            rest -= index.bytes(layer);
            layer = neediest(slots, total, worker, rest);
        }
    }

    /// The layer with the fewest slots here, then everywhere, for which there is room.
    private int neediest(int[][] slots, int[] total, int worker, long rest) {
        int neediest = -1;
        for (int layer = 0; layer < slots.length; layer++) {
            boolean fits = index.capacity(worker) > 0
                    && slots[layer][worker] < most[layer][worker]
                    && index.bytes(layer) <= rest;
            if (fits
                    && (neediest < 0
                            || slots[layer][worker] < slots[neediest][worker]
                            || (slots[layer][worker] == slots[neediest][worker] && total[layer] < total[neediest]))) {
                neediest = layer;
            }
        }
        return neediest;
    }

    private boolean isEnough(int[][] slots) {
        return Arrays.stream(slots).allMatch(layer -> Arrays.stream(layer).sum() >= index.experts());
    }

    private ClusterException tooManyPins() {
        long[] rest = new long[index.workers()];
        for (int worker = 0; worker < rest.length; worker++) {
            rest[worker] = index.capacity(worker);
        }
        var facts = index.request().facts();
        for (ExpertOnWorker pin : index.request().pins().stream()
                .sorted(Comparator.comparingInt(ExpertOnWorker::layer)
                        .thenComparingInt(ExpertOnWorker::expert)
                        .thenComparing(ExpertOnWorker::workerId))
                .toList()) {
            for (int worker = 0; worker < rest.length; worker++) {
                if (index.worker(worker).id().equals(pin.workerId())) {
                    rest[worker] -= index.bytes(facts.moeLayers().indexOf(pin.layer()));
                    if (rest[worker] < 0 || index.capacity(worker) == 0) {
                        return PlanIndex.impossible(
                                pin,
                                "all pins of the worker need more than its " + index.capacity(worker)
                                        + " bytes for experts");
                    }
                }
            }
        }
        throw new IllegalStateException("pins fit one by one and not together");
    }

    private ClusterException tooLittleRoom(int[][] slots) {
        int worst = 0;
        for (int layer = 1; layer < slots.length; layer++) {
            worst = Arrays.stream(slots[layer]).sum()
                            < Arrays.stream(slots[worst]).sum()
                    ? layer
                    : worst;
        }
        return new ClusterException(
                ErrorReason.EXPERT_UNPLACED,
                "the workers have room for " + Arrays.stream(slots[worst]).sum() + " experts of layer "
                        + index.request().facts().moeLayers().get(worst) + "; the model has " + index.experts()
                        + "; add workers or give them more memory");
    }
}
