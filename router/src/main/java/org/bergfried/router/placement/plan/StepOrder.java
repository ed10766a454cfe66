package org.bergfried.router.placement.plan;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.bergfried.contract.cluster.Placement;

/// Orders the way from what is to what should be, in waves: install what there is room for, activate, drain, evict
/// what another worker has too. So nothing is ever broken before it is made, and no worker ever holds more than its
/// memory. Where full workers wait for each other, a replica goes to a third one for the time being; where there is
/// no room for that either, the rest of the plan is left out.
final class StepOrder {
    private static final int WAVES_MAX = 64;

    private final PlanIndex index;
    private final int workers;
    private final BitSet state; // hot now
    private BitSet hotBefore = new BitSet(); // hot when the wave began
    private final BitSet incoming;
    private final BitSet outgoing;
    private final long[] free; // [workers] bytes
    private final List<PlanStep> steps = new ArrayList<>();
    private final long firstEpoch;
    private long epoch;
    private BitSet activated;
    private double[] secondsIn;
    private double[] secondsOut;
    private double seconds;
    private long bytesMoved;

    /// @param hasLost whether a new placement is needed even if no expert moves.
    StepOrder(PlanIndex index, BitSet target, boolean hasLost) {
        this.index = index;
        workers = index.workers();
        state = (BitSet) index.current().clone();
        activated = (BitSet) state.clone();
        firstEpoch = index.request().current().map(Placement::epoch).orElse(0L) + 1;
        epoch = firstEpoch;
        incoming = (BitSet) target.clone();
        incoming.andNot(state);
        outgoing = (BitSet) state.clone();
        outgoing.andNot(target);
        free = new long[workers];
        secondsIn = new double[workers];
        secondsOut = new double[workers];
        for (int worker = 0; worker < workers; worker++) {
            free[worker] = index.capacity(worker);
        }
        state.stream().forEach(bit -> free[bit % workers] -= bytes(bit));
        order(hasLost);
    }

    List<PlanStep> steps() {
        return steps;
    }

    /// What is hot where after the last step.
    BitSet reached() {
        return state;
    }

    long bytesMoved() {
        return bytesMoved;
    }

    double seconds() {
        return seconds;
    }

    boolean isComplete() {
        return incoming.isEmpty() && outgoing.isEmpty();
    }

    private void order(boolean hasLost) {
        boolean isDue = hasLost;
        for (int wave = 0; wave < WAVES_MAX && (isDue || !isComplete()); wave++) {
            hotBefore = (BitSet) state.clone();
            boolean hasInstalled = install();
            List<Integer> evictions = evictable();
            if (!isDue && !hasInstalled && evictions.isEmpty()) {
                int stepsBefore = steps.size();
                evictions = detours();
                if (steps.size() == stepsBefore) {
                    return;
                }
            }
            isDue = false;
            finishWave(evictions);
        }
    }

    private void finishWave(List<Integer> evictions) {
        double longest = 0;
        for (int worker = 0; worker < workers; worker++) {
            longest = Math.max(longest, Math.max(secondsIn[worker], secondsOut[worker]));
        }
        seconds += longest;
        secondsIn = new double[workers];
        secondsOut = new double[workers];
        steps.add(new PlanStep.Activate(epoch, changed()));
        epoch++;
        for (int bit : evictions) {
            steps.add(new PlanStep.Drain(layer(bit), expert(bit), worker(bit)));
        }
        for (int bit : evictions) {
            int host = state.nextSetBit(bit - bit % workers);
            steps.add(new PlanStep.Evict(layer(bit), expert(bit), worker(bit), worker(host)));
            free[bit % workers] += bytes(bit);
        }
    }

    /// Installs what there is room for, experts that nobody has first.
    private boolean install() {
        int stepsBefore = steps.size();
        for (boolean isMissing : new boolean[] {true, false}) {
            for (int bit = incoming.nextSetBit(0); bit >= 0; bit = incoming.nextSetBit(bit + 1)) {
                if ((hosts(bit) == 0) == isMissing && bytes(bit) <= free[bit % workers]) {
                    install(bit);
                    incoming.clear(bit);
                }
            }
        }
        return steps.size() > stepsBefore;
    }

    private void install(int bit) {
        Optional<Integer> source = source(bit);
        source.ifPresent(from -> secondsOut[from] += transfer(bit, from));
        secondsIn[bit % workers] += transfer(bit, bit % workers);
        bytesMoved += bytes(bit);
        free[bit % workers] -= bytes(bit);
        state.set(bit);
        steps.add(new PlanStep.Install(
                layer(bit),
                expert(bit),
                worker(bit),
                source.map(from -> index.worker(from).id()),
                bytes(bit)));
    }

    /// The host that will have sent all it must the soonest, among those that were hot before this wave.
    private Optional<Integer> source(int bit) {
        int first = bit - bit % workers;
        int best = -1;
        for (int host = hotBefore.nextSetBit(first); isOfCell(host, first); host = hotBefore.nextSetBit(host + 1)) {
            int worker = host - first;
            if (best < 0 || secondsOut[worker] + transfer(bit, worker) < secondsOut[best] + transfer(bit, best)) {
                best = worker;
            }
        }
        return best < 0 ? Optional.empty() : Optional.of(best);
    }

    private boolean isOfCell(int bit, int first) {
        return bit >= first && bit < first + workers;
    }

    /// Takes from the state what may go now: another host stays.
    private List<Integer> evictable() {
        var evictions = new ArrayList<Integer>();
        for (int bit = outgoing.nextSetBit(0); bit >= 0; bit = outgoing.nextSetBit(bit + 1)) {
            if (hosts(bit) > 1) {
                evictions.add(bit);
                state.clear(bit);
                outgoing.clear(bit);
            }
        }
        return evictions;
    }

    /// For each full worker that waits: brings an expert that nobody has, or one of those that block it, to a third
    /// worker for the time being.
    ///
    /// @return what may be evicted thereby.
    private List<Integer> detours() {
        var evictions = new ArrayList<Integer>();
        var relieved = new BitSet();
        for (int blocked = incoming.nextSetBit(0); blocked >= 0; blocked = incoming.nextSetBit(blocked + 1)) {
            if (hosts(blocked) == 0) {
                park(third(blocked));
            }
            int worker = blocked % workers;
            for (int bit = outgoing.nextSetBit(0);
                    bit >= 0 && !relieved.get(worker);
                    bit = outgoing.nextSetBit(bit + 1)) {
                if (bit % workers == worker && hotBefore.get(bit) && park(third(bit))) {
                    state.clear(bit);
                    outgoing.clear(bit);
                    evictions.add(bit);
                    relieved.set(worker);
                }
            }
        }
        return evictions;
    }

    /// Installs a replica that is not wanted there in the end, unless it is.
    private boolean park(int third) {
        if (third < 0) {
            return false;
        }
        install(third);
        outgoing.set(third, !incoming.get(third));
        incoming.clear(third);
        return true;
    }

    private int third(int bit) {
        int first = bit - bit % workers;
        for (int other = first; other < first + workers; other++) {
            boolean isNew = !state.get(other) && !hotBefore.get(other);
            boolean hasRoom = index.capacity(other - first) > 0 && free[other - first] >= bytes(bit);
            if (isNew && hasRoom && !index.bans().get(other)) {
                return other;
            }
        }
        return -1;
    }

    /// The experts whose hosts are not those of the activation before; in the first wave also those that lost one.
    private List<PlanStep.Hosts> changed() {
        var cells = new BitSet();
        BitSet differing = (BitSet) activated.clone();
        differing.xor(state);
        differing.stream().forEach(bit -> cells.set(bit / workers));
        for (int cell = 0; epoch == firstEpoch && cell < index.request().facts().expertCount(); cell++) {
            cells.set(cell, cells.get(cell) || index.hasLostOf(cell));
        }
        activated = (BitSet) state.clone();
        return cells.stream()
                .mapToObj(cell -> new PlanStep.Hosts(layer(cell * workers), expert(cell * workers), replicas(cell)))
                .toList();
    }

    /// The hosts of an expert, the preferred one first: it differs from expert to expert, so that callers that take
    /// the first spread their rows.
    private List<String> replicas(int cell) {
        int first = cell * workers;
        var replicas = new ArrayList<String>();
        for (int bit = state.nextSetBit(first); isOfCell(bit, first); bit = state.nextSetBit(bit + 1)) {
            replicas.add(worker(bit));
        }
        if (replicas.size() > 1) {
            Collections.rotate(replicas, cell % replicas.size());
        }
        return replicas;
    }

    private int hosts(int bit) {
        int first = bit - bit % workers;
        int hosts = 0;
        for (int host = state.nextSetBit(first); isOfCell(host, first); host = state.nextSetBit(host + 1)) {
            hosts++;
        }
        return hosts;
    }

    private double transfer(int bit, int worker) {
        return bytes(bit) / index.worker(worker).linkBytesPerSecond();
    }

    private long bytes(int bit) {
        return index.bytes(bit / workers / index.experts());
    }

    private int layer(int bit) {
        return index.request().facts().moeLayers().get(bit / workers / index.experts());
    }

    private int expert(int bit) {
        return bit / workers % index.experts();
    }

    private String worker(int bit) {
        return index.worker(bit % workers).id();
    }
}
