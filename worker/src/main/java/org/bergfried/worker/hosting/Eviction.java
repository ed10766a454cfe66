package org.bergfried.worker.hosting;

import java.util.Optional;

/// An expert to let go of.
///
/// @param layer          index of the layer in the model.
/// @param expert         the logical expert.
/// @param acknowledgedBy another hot host, without whose word the expert is kept.
public record Eviction(int layer, int expert, String acknowledgedBy) {
    /// What became of it.
    ///
    /// @param eviction what was asked for.
    /// @param kept     why the expert is still in memory; empty if it is not.
    public record Outcome(Eviction eviction, Optional<String> kept) {}
}
