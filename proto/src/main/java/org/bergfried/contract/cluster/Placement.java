package org.bergfried.contract.cluster;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import org.bergfried.contract.Limits;

/// Which workers host which expert: immutable, numbered by its epoch.
///
/// @param modelDigest the model.
/// @param epoch grows with each placement of the model; the first is 1.
/// @param planId which plan made it; two plans with one epoch are told apart by it.
/// @param facts the model's layers and experts.
/// @param workerIds all workers that host something, sorted.
/// @param replicaTable the workers of each expert, preferred first, indexed by {@link PlacementFacts#cell}; an
/// empty list means unplaced.
public record Placement(
        String modelDigest,
        long epoch,
        String planId,
        PlacementFacts facts,
        List<String> workerIds,
        List<List<String>> replicaTable) {

    /// Checks bounds, and that replicas of an expert are different known workers.
    public Placement {
        Bounds.id("modelDigest", modelDigest);
        Bounds.id("planId", planId);
        Bounds.range("epoch", epoch, 1, Long.MAX_VALUE);
        Bounds.size("workerIds", workerIds.size(), Limits.WORKERS);
        workerIds.forEach(worker -> Bounds.id("worker id", worker));
        var known = new HashSet<>(workerIds);
        if (known.size() != workerIds.size()
                || !workerIds.stream().sorted().toList().equals(workerIds)) {
            throw Bounds.invalid("worker ids of placement " + planId + " are not sorted and different");
        }
        if (replicaTable.size() != facts.expertCount()) {
            throw Bounds.invalid("placement " + planId + " has " + replicaTable.size() + " entries; the model has "
                    + facts.expertCount() + " experts");
        }
        for (List<String> replicas : replicaTable) {
            Bounds.size("replicas of an expert", replicas.size(), Limits.REPLICAS);
            if (!known.containsAll(replicas) || new HashSet<>(replicas).size() != replicas.size()) {
                throw Bounds.invalid(
                        "replicas " + replicas + " of placement " + planId + " are not different workers of its list");
            }
        }
        workerIds = List.copyOf(workerIds);
        replicaTable = replicaTable.stream().map(List::copyOf).toList();
    }

    /// The first placement of a model: expert e of layer l goes to the worker with index (e + l) mod n.
    ///
    /// @param sortedReadyExpertWorkers ids of the ready expert workers, sorted; at least one.
    public static Placement even(
            String modelDigest,
            long epoch,
            String planId,
            List<String> sortedReadyExpertWorkers,
            PlacementFacts facts) {
        int workerCount = sortedReadyExpertWorkers.size();
        if (workerCount == 0) {
            throw new IllegalArgumentException("an even placement needs at least one worker");
        }
        var table = new ArrayList<List<String>>(facts.expertCount());
        for (int layer : facts.moeLayers()) {
            for (int expert = 0; expert < facts.expertsPerLayer(); expert++) {
                table.add(List.of(sortedReadyExpertWorkers.get((expert + layer) % workerCount)));
            }
        }
        return new Placement(modelDigest, epoch, planId, facts, sortedReadyExpertWorkers, table);
    }

    /// The workers that host an expert, preferred first; empty when it is unplaced. Allocates nothing.
    public List<String> replicas(int layer, int expert) {
        return replicaTable.get(facts.cell(layer, expert));
    }

    /// The experts that a worker hosts; empty for an unknown worker.
    public ExpertSet expertsOn(String workerId) {
        var cells = new BitSet(facts.expertCount());
        for (int cell = 0; cell < replicaTable.size(); cell++) {
            if (replicaTable.get(cell).contains(workerId)) {
                cells.set(cell);
            }
        }
        return ExpertSet.of(facts, cells);
    }

    /// Whether this placement replaces another one of the same model.
    public boolean supersedes(Placement other) {
        return epoch > other.epoch;
    }

    /// Whether another placement is of the same plan and epoch, and so is the same one.
    public boolean isSamePlan(Placement other) {
        return epoch == other.epoch && planId.equals(other.planId) && modelDigest.equals(other.modelDigest);
    }

    @Override
    public String toString() {
        return "Placement[" + modelDigest + ", epoch " + epoch + ", plan " + planId + ", workers " + workerIds + "]";
    }
}
