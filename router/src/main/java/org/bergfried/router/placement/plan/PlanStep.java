package org.bergfried.router.placement.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;

/// One command of a plan. Steps are carried out in order; installs between two activations may run at once.
public sealed interface PlanStep {
    /// Bring an expert's weights to a worker and verify their digest.
    ///
    /// @param layer index of the layer in the model.
    /// @param expert the logical expert.
    /// @param workerId who gets it.
    /// @param source a worker that has it at this point; absent if none does: then from the worker's own file.
    /// @param bytes how much is moved.
    record Install(int layer, int expert, String workerId, Optional<String> source, long bytes) implements PlanStep {}

    /// Publish the next placement: all its replicas are installed.
    ///
    /// @param epoch the one after that of the activation before.
    /// @param changed the experts whose hosts change, by layer and expert.
    record Activate(long epoch, List<Hosts> changed) implements PlanStep {
        /// Copies.
        public Activate {
            changed = List.copyOf(changed);
        }

        /// The placement to publish.
        ///
        /// @param previous the placement of the activation before, or the one that the plan started from.
        public Placement placement(PlanRequest request, Optional<Placement> previous) {
            PlacementFacts facts = request.facts();
            List<List<String>> table = new ArrayList<>(previous.map(Placement::replicaTable)
                    .orElseGet(() -> Collections.nCopies(facts.expertCount(), List.of())));
            for (Hosts hosts : changed) {
                table.set(facts.cell(hosts.layer, hosts.expert), hosts.workerIds);
            }
            var workerIds = new TreeSet<String>();
            table.forEach(workerIds::addAll);
            return new Placement(request.modelDigest(), epoch, request.planId(), facts, List.copyOf(workerIds), table);
        }
    }

    /// Where an expert is from an activation on.
    ///
    /// @param layer index of the layer in the model.
    /// @param expert the logical expert.
    /// @param workerIds its hosts, preferred first; empty for an expert that nobody has yet.
    record Hosts(int layer, int expert, List<String> workerIds) {
        /// Copies.
        public Hosts {
            workerIds = List.copyOf(workerIds);
        }
    }

    /// Wait until a worker has answered what it was sent for an expert under older epochs.
    ///
    /// @param layer index of the layer in the model.
    /// @param expert the logical expert.
    /// @param workerId who had it.
    record Drain(int layer, int expert, String workerId) implements PlanStep {}

    /// Free an expert's memory on a worker.
    ///
    /// @param layer index of the layer in the model.
    /// @param expert the logical expert.
    /// @param workerId who had it.
    /// @param acknowledgedBy another hot host, without whose word the worker keeps the expert.
    record Evict(int layer, int expert, String workerId, String acknowledgedBy) implements PlanStep {}
}
