package org.bergfried.router.placement.plan;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;

/// Everything a plan depends on.
///
/// @param modelDigest the model.
/// @param planId names the plan in placements and commands.
/// @param facts the model's layers and experts.
/// @param load `[facts.expertCount()]` rows that each expert got in the window, by {@link PlacementFacts#cell}.
/// @param expertBytes `[moeLayers]` bytes of one expert of each layer; 0 if experts take no memory.
/// @param expertGroups into how many equal groups of neighbours the gate divides a layer's experts; 1 for none.
/// @param workers the living expert workers; ids differ.
/// @param pins experts that must be on a worker.
/// @param bans experts that must not be on a worker.
/// @param current the newest placement, if there is one.
/// @param settings how eager to be.
public record PlanRequest(
        String modelDigest,
        String planId,
        PlacementFacts facts,
        long[] load,
        long[] expertBytes,
        int expertGroups,
        List<PlanWorker> workers,
        Set<ExpertOnWorker> pins,
        Set<ExpertOnWorker> bans,
        Optional<Placement> current,
        PlanSettings settings) {
    /// Checks that all parts speak of one model, and copies.
    public PlanRequest {
        check(
                load.length == facts.expertCount(),
                "load has " + load.length + " entries; the model has " + facts.expertCount() + " experts");
        check(
                expertBytes.length == facts.moeLayers().size(),
                "expertBytes has " + expertBytes.length + " entries; the model has "
                        + facts.moeLayers().size() + " mixture layers");
        check(
                expertGroups >= 1 && facts.expertsPerLayer() % expertGroups == 0,
                "expertGroups = " + expertGroups + " must divide the " + facts.expertsPerLayer()
                        + " experts of a layer");
        for (long rows : load) {
            check(rows >= 0, "load has " + rows + " rows; it must be at least 0");
        }
        for (long bytes : expertBytes) {
            check(bytes >= 0, "an expert has " + bytes + " bytes; it must have at least 0");
        }
        var ids = new HashSet<String>();
        workers.forEach(worker -> check(ids.add(worker.id()), "worker " + worker.id() + " is listed twice"));
        current.ifPresent(placement -> check(
                placement.facts().equals(facts) && placement.modelDigest().equals(modelDigest),
                "the current placement is that of another model"));
        load = load.clone();
        expertBytes = expertBytes.clone();
        workers = List.copyOf(workers);
        pins = Set.copyOf(pins);
        bans = Set.copyOf(bans);
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, message);
        }
    }
}
