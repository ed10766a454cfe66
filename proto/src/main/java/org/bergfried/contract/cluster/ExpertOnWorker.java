package org.bergfried.contract.cluster;

import org.bergfried.contract.Limits;

/// An expert and a worker that belong together (a pin) or must not meet (a ban).
///
/// @param layer index of the layer in the model.
/// @param expert the logical expert.
/// @param workerId the worker.
public record ExpertOnWorker(int layer, int expert, String workerId) {
    /// Checks bounds.
    public ExpertOnWorker {
        Bounds.range("layer", layer, 0, 0xffff);
        Bounds.range("expert", expert, 0, Limits.EXPERTS_PER_LAYER - 1);
        Bounds.id("worker id", workerId);
    }

    @Override
    public String toString() {
        return "expert " + expert + " of layer " + layer + " on worker " + workerId;
    }
}
