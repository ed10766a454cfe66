package org.bergfried.router.placement.plan;

/// An expert and a worker that belong together (a pin) or must not meet (a ban).
///
/// @param layer index of the layer in the model.
/// @param expert the logical expert.
/// @param workerId the worker.
public record ExpertOnWorker(int layer, int expert, String workerId) {
    @Override
    public String toString() {
        return "expert " + expert + " of layer " + layer + " on worker " + workerId;
    }
}
