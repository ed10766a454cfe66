package org.bergfried.router.api.admin;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// A model as the workers announce it.
///
/// @param digest the model.
/// @param name its served name.
/// @param facts its layers and experts.
record ModelView(String digest, String name, PlacementFacts facts) {
    /// All models, by name.
    static List<ModelView> all(List<WorkerAnnouncement> workers) {
        Map<String, ModelView> byDigest = new LinkedHashMap<>();
        for (WorkerAnnouncement worker : workers) {
            byDigest.putIfAbsent(
                    worker.modelDigest(), new ModelView(worker.modelDigest(), worker.modelName(), worker.facts()));
        }
        return byDigest.values().stream()
                .sorted(Comparator.comparing(ModelView::name).thenComparing(ModelView::digest))
                .toList();
    }

    /// The model that a request names.
    ///
    /// @param wanted a served name or a digest; empty for the only model.
    /// @throws ClusterException MODEL_NOT_FOUND that says which there are.
    static ModelView named(String wanted, List<WorkerAnnouncement> workers) {
        List<ModelView> models = all(workers);
        List<ModelView> found = models.stream()
                .filter(model -> wanted.isEmpty()
                        || model.name().equals(wanted)
                        || model.digest().equals(wanted))
                .toList();
        if (found.size() == 1) {
            return found.getFirst();
        }
        String known = models.stream()
                .map(model -> model.name() + " (" + model.digest() + ")")
                .toList()
                .toString();
        String what = wanted.isEmpty()
                ? "a model must be named"
                : "the name \"" + wanted + "\" stands for " + found.size() + " models";
        throw new ClusterException(
                ErrorReason.MODEL_NOT_FOUND,
                models.isEmpty() ? "no worker serves a model now" : what + "; workers serve " + known);
    }
}
