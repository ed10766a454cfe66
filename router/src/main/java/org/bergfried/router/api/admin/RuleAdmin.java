package org.bergfried.router.api.admin;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.proto.admin.v1.BanRequest;
import org.bergfried.proto.admin.v1.BanResponse;
import org.bergfried.proto.admin.v1.PinRequest;
import org.bergfried.proto.admin.v1.PinResponse;
import org.bergfried.proto.admin.v1.UnbanRequest;
import org.bergfried.proto.admin.v1.UnbanResponse;
import org.bergfried.proto.admin.v1.UnpinRequest;
import org.bergfried.proto.admin.v1.UnpinResponse;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Role;
import org.bergfried.router.placement.live.Audit;

/// The part of `PlacementService` that says what plans must obey.
public final class RuleAdmin {
    private final Cluster cluster;
    private final Audit audit = new Audit();

    /// Changes the rules of this cluster.
    public RuleAdmin(Cluster cluster) {
        this.cluster = cluster;
    }

    /// Makes every later plan keep, or bring, an expert on a worker.
    public PinResponse pin(Caller caller, PinRequest request) {
        caller.require(Role.OPERATOR);
        var pair = Experts.on(request.getLayer(), request.getExpert(), request.getWorkerId());
        PlacementRules rules = change("pin", caller, request.getReason(), request.getModel(), pair, known -> {
            requireWorker(pair, known);
            return known.withPin(pair);
        });
        return PinResponse.newBuilder().addAllPins(States.pairs(rules.pins())).build();
    }

    /// Takes a pin back.
    public UnpinResponse unpin(Caller caller, UnpinRequest request) {
        caller.require(Role.OPERATOR);
        var pair = Experts.on(request.getLayer(), request.getExpert(), request.getWorkerId());
        PlacementRules rules = change("unpin", caller, request.getReason(), request.getModel(), pair, known -> {
            requireKnown(known.pins(), pair, "pinned");
            return known.withoutPin(pair);
        });
        return UnpinResponse.newBuilder().addAllPins(States.pairs(rules.pins())).build();
    }

    /// Makes every later plan keep an expert off a worker.
    public BanResponse ban(Caller caller, BanRequest request) {
        caller.require(Role.OPERATOR);
        var pair = Experts.on(request.getLayer(), request.getExpert(), request.getWorkerId());
        PlacementRules rules = change("ban", caller, request.getReason(), request.getModel(), pair, known -> {
            requireWorker(pair, known);
            return known.withBan(pair);
        });
        return BanResponse.newBuilder().addAllBans(States.pairs(rules.bans())).build();
    }

    /// Takes a ban back.
    public UnbanResponse unban(Caller caller, UnbanRequest request) {
        caller.require(Role.OPERATOR);
        var pair = Experts.on(request.getLayer(), request.getExpert(), request.getWorkerId());
        PlacementRules rules = change("unban", caller, request.getReason(), request.getModel(), pair, known -> {
            requireKnown(known.bans(), pair, "banned");
            return known.withoutBan(pair);
        });
        return UnbanResponse.newBuilder().addAllBans(States.pairs(rules.bans())).build();
    }

    private PlacementRules change(
            String action,
            Caller caller,
            String why,
            String modelName,
            ExpertOnWorker pair,
            UnaryOperator<PlacementRules> change) {
        String reason = Reasons.checked(why);
        ModelView model = ModelView.named(modelName, cluster.directory().workers());
        PlacementFacts facts = model.facts();
        if (!facts.moeLayers().contains(pair.layer()) || pair.expert() >= facts.expertsPerLayer()) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    pair + ": the model has no such expert; its layers " + facts.moeLayers() + " have "
                            + facts.expertsPerLayer() + " experts each");
        }
        PlacementRules rules = cluster.rules().change(model.digest(), known -> checked(change.apply(known), pair));
        audit.changed(action, caller.name(), reason, model.digest(), pair.toString());
        return rules;
    }

    /// A misspelt worker would be waited for in vain. One that is away for a while is still in the placement or
    /// drained.
    private void requireWorker(ExpertOnWorker pair, PlacementRules rules) {
        var known = new TreeSet<>(rules.draining());
        cluster.placements().current(rules.modelDigest()).ifPresent(placement -> known.addAll(placement.workerIds()));
        cluster.directory().workers().stream()
                .filter(worker -> worker.roles().contains(WorkerAnnouncement.Role.EXPERT)
                        && worker.modelDigest().equals(rules.modelDigest()))
                .forEach(worker -> known.add(worker.id()));
        if (!known.contains(pair.workerId())) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, pair + ": there is no such expert worker; there are " + known);
        }
    }

    private static void requireKnown(Set<ExpertOnWorker> rules, ExpertOnWorker pair, String what) {
        if (!rules.contains(pair)) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, pair + " is not " + what);
        }
    }

    private static PlacementRules checked(PlacementRules rules, ExpertOnWorker pair) {
        if (rules.pins().contains(pair) && rules.bans().contains(pair)) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, pair + " would be both pinned and banned; take one back first");
        }
        return rules;
    }
}
