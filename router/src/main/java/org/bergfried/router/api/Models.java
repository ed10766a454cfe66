package org.bergfried.router.api;

import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.ChatModel;
import org.bergfried.router.client.ModelCatalog;
import org.bergfried.router.client.ModelCatalog.Known;

/// Finds models by what callers call them.
final class Models {
    private final ModelCatalog catalog;

    Models(ModelCatalog catalog) {
        this.catalog = catalog;
    }

    List<ServedModel> served() {
        return catalog.ready().stream()
                .map(model -> new ServedModel(
                        model.card().name(),
                        model.card().digest(),
                        model.card().numericsId(),
                        model.card().contextLength(),
                        model.sinceMillis()))
                .toList();
    }

    /// The model of a name; an empty name means the only one. A model whose workers are away at the moment is found
    /// too: its generations wait a while for one.
    ChatModel named(String name) {
        List<Known> ready = catalog.ready();
        List<Known> candidates = ready.isEmpty() ? catalog.known().reversed() : ready;
        if (candidates.isEmpty()) {
            throw new ClusterException(
                    ErrorReason.WORKER_LOST, "no worker is ready yet, so no model is served; ask again in a second");
        }
        List<String> names =
                candidates.stream().map(model -> model.card().name()).distinct().toList();
        if (name.isEmpty() && names.size() > 1) {
            throw AnswerOptions.invalid("model", "several models are served; name one of " + names);
        }
        return candidates.stream()
                .filter(model -> name.isEmpty() || model.card().name().equals(name))
                .findFirst()
                .map(Known::chat)
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.MODEL_NOT_FOUND,
                        "the model \"" + shown(name) + "\" is not served; served are " + names,
                        java.util.Map.of("field", "model")));
    }

    /// The model that a generation is pinned to.
    ChatModel pinned(String digest, String numericsId) {
        return catalog.find(digest, numericsId)
                .map(Known::chat)
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.WORKER_LOST,
                        "no worker of the model " + digest + " (" + numericsId
                                + ") has been ready yet; resume again in a second"));
    }

    private static String shown(String name) {
        return name.length() <= 64 ? name : name.substring(0, 64) + "...";
    }
}
