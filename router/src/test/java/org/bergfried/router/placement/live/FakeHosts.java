package org.bergfried.router.placement.live;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.router.TestWorkers;

/// Workers in memory, fenced as real ones are: each keeps the highest epoch that it has seen and refuses lower ones and
/// an equal one of another plan. It checks that no expert is freed that the published placement needs there.
final class FakeHosts implements Hosts {
    static final long EXPERT_BYTES = 10;

    /// What a test wants to happen before a call is answered.
    interface Trap {
        void before(String call, String workerId);
    }

    final List<String> calls = new ArrayList<>();
    private final Map<String, BitSet> hot = new HashMap<>();
    private final Map<String, Command> seen = new HashMap<>();
    private final long capacity;
    private Trap trap = (call, workerId) -> {};
    private String corrupt = "";
    private boolean isStuck;

    /// Workers with room for so many experts each.
    FakeHosts(int experts) {
        capacity = experts * EXPERT_BYTES;
    }

    /// Every host has what a placement gives it.
    synchronized void follow(Placement placement) {
        for (String worker : placement.workerIds()) {
            bits(worker).or(placement.expertsOn(worker).cells());
        }
    }

    synchronized void set(Trap newTrap) {
        trap = newTrap;
    }

    /// The worker's own file of every expert is corrupt.
    synchronized void corrupt(String workerId) {
        corrupt = workerId;
    }

    /// No drain comes to its end.
    synchronized void stick() {
        isStuck = true;
    }

    synchronized ExpertSet hot(String workerId) {
        return ExpertSet.of(TestWorkers.FACTS, bits(workerId));
    }

    /// A worker has heard of another plan.
    synchronized void tell(String workerId, Command command) {
        seen.put(workerId, command);
    }

    /// A worker that was started again has nothing and knows of no plan.
    synchronized void restart(String workerId) {
        hot.remove(workerId);
        seen.remove(workerId);
    }

    @Override
    public synchronized Hosting hosting(WorkerAnnouncement worker) {
        trap.before("hosting", worker.id());
        int count = bits(worker.id()).cardinality();
        long[] bytes = new long[TestWorkers.FACTS.moeLayers().size()];
        Arrays.fill(bytes, EXPERT_BYTES);
        Command last = seen.getOrDefault(worker.id(), new Command("", 0, ""));
        return new Hosting(
                worker.id(),
                worker.startNumber(),
                worker.modelDigest(),
                hot(worker.id()),
                bytes,
                count * EXPERT_BYTES,
                capacity - count * EXPERT_BYTES,
                0,
                last.epoch(),
                last.planId());
    }

    @Override
    public void install(
            WorkerAnnouncement worker,
            Command command,
            List<Expert> experts,
            List<String> sources,
            Consumer<Installed> each) {
        var outcomes = new ArrayList<Installed>();
        synchronized (this) {
            trap.before("install", worker.id());
            accept(worker.id(), command);
            calls.add("install " + worker.id() + " " + experts.size());
            for (Expert expert : experts) {
                boolean isFull = (bits(worker.id()).cardinality() + 1) * EXPERT_BYTES > capacity;
                String failure = worker.id().equals(corrupt)
                        ? "WEIGHTS_CORRUPT: its digest differs"
                        : isFull && !bits(worker.id()).get(cell(expert)) ? "TOO_LARGE: no room" : "";
                if (failure.isEmpty()) {
                    bits(worker.id()).set(cell(expert));
                }
                outcomes.add(new Installed(expert, failure));
            }
            trap.before("installed", worker.id());
        }
        outcomes.forEach(each);
    }

    @Override
    public synchronized boolean drain(
            WorkerAnnouncement worker, Command command, List<Expert> experts, Duration longest) {
        trap.before("drain", worker.id());
        accept(worker.id(), command);
        calls.add("drain " + worker.id() + " " + experts.size());
        return !isStuck;
    }

    @Override
    public synchronized List<String> evict(WorkerAnnouncement worker, Command command, List<Eviction> evictions) {
        trap.before("evict", worker.id());
        accept(worker.id(), command);
        calls.add("evict " + worker.id() + " " + evictions.size());
        var kept = new ArrayList<String>();
        for (Eviction eviction : evictions) {
            if (bits(eviction.acknowledgedBy()).get(cell(eviction.expert()))) {
                bits(worker.id()).clear(cell(eviction.expert()));
            } else {
                kept.add(eviction.expert() + ": " + eviction.acknowledgedBy() + " does not confirm");
            }
        }
        return kept;
    }

    private BitSet bits(String workerId) {
        return hot.computeIfAbsent(workerId, id -> new BitSet());
    }

    private void accept(String workerId, Command command) {
        Command last = seen.get(workerId);
        if (last != null
                && (command.epoch() < last.epoch()
                        || (command.epoch() == last.epoch() && !command.planId().equals(last.planId())))) {
            throw new ClusterException(
                    ErrorReason.STALE_PLAN,
                    "worker " + workerId + ": has seen a newer plan",
                    Map.of("planId", last.planId(), "epoch", Long.toString(last.epoch())));
        }
        seen.put(workerId, command);
    }

    private static int cell(Expert expert) {
        return TestWorkers.FACTS.cell(expert.layer(), expert.expert());
    }
}
