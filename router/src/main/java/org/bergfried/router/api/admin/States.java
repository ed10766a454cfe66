package org.bergfried.router.api.admin;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.proto.admin.v1.ExpertOnWorker;
import org.bergfried.proto.admin.v1.LayerHosts;
import org.bergfried.proto.admin.v1.PlacementState;
import org.bergfried.router.placement.live.Takeover;

/// Messages made from plain values.
final class States {
    private States() {}

    /// Where every expert is.
    ///
    /// @param expertBytes `[moeLayers]`, or empty if nobody has told it.
    static PlacementState placement(
            ModelView model,
            Optional<Placement> placement,
            PlacementRules rules,
            List<WorkerAnnouncement> workers,
            long[] expertBytes) {
        List<String> ids = workerIds(model, placement, workers);
        var state = PlacementState.newBuilder()
                .setModelDigest(model.digest())
                .setModel(model.name())
                .setEpoch(placement.map(Placement::epoch).orElse(0L))
                .setPlanId(placement.map(Placement::planId).orElse(""))
                .setAutomatic(isAutomatic(placement, rules))
                .addAllWorkerIds(ids)
                .setExpertsPerLayer(model.facts().expertsPerLayer())
                .addAllPins(pairs(rules.pins()))
                .addAllBans(pairs(rules.bans()))
                .addAllDrainingWorkerIds(rules.draining().stream().sorted().toList());
        for (long bytes : expertBytes) {
            state.addExpertBytes(bytes);
        }
        placement.ifPresent(known -> addLayers(state, known, ids));
        return state.build();
    }

    /// Whether the router still spreads experts evenly by itself.
    static boolean isAutomatic(Optional<Placement> placement, PlacementRules rules) {
        return placement.map(Takeover::isAutomatic).orElse(true) && rules.version() == 0;
    }

    /// Pins or bans, sorted.
    static List<ExpertOnWorker> pairs(Collection<org.bergfried.contract.cluster.ExpertOnWorker> pairs) {
        return pairs.stream()
                .map(pair -> ExpertOnWorker.newBuilder()
                        .setLayer(pair.layer())
                        .setExpert(pair.expert())
                        .setWorkerId(pair.workerId())
                        .build())
                .sorted(Comparator.comparingInt(ExpertOnWorker::getLayer)
                        .thenComparingInt(ExpertOnWorker::getExpert)
                        .thenComparing(ExpertOnWorker::getWorkerId))
                .toList();
    }

    /// Hosts of the placement and living expert workers of the model, sorted.
    static List<String> workerIds(ModelView model, Optional<Placement> placement, List<WorkerAnnouncement> workers) {
        var ids = new TreeSet<String>();
        placement.ifPresent(known -> ids.addAll(known.workerIds()));
        workers.stream()
                .filter(worker -> worker.modelDigest().equals(model.digest())
                        && worker.roles().contains(Role.EXPERT))
                .forEach(worker -> ids.add(worker.id()));
        return List.copyOf(ids);
    }

    private static void addLayers(PlacementState.Builder state, Placement placement, List<String> ids) {
        Map<String, Integer> indexOf = new HashMap<>();
        ids.forEach(id -> indexOf.put(id, indexOf.size()));
        PlacementFacts facts = placement.facts();
        for (int layer : facts.moeLayers()) {
            var hosts = LayerHosts.newBuilder().setLayer(layer);
            for (int expert = 0; expert < facts.expertsPerLayer(); expert++) {
                List<String> replicas = placement.replicas(layer, expert);
                hosts.addReplicaCounts(replicas.size());
                replicas.forEach(id -> hosts.addHosts(indexOf.getOrDefault(id, 0)));
            }
            state.addLayers(hosts);
        }
    }
}
