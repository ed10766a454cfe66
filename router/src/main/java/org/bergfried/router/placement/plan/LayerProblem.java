package org.bergfried.router.placement.plan;

import java.util.BitSet;

/// One layer's part of the question, in indices.
///
/// @param layer index of the layer in the model.
/// @param load `[experts]` rows.
/// @param speed `[workers]` rows per second.
/// @param slots `[workers]` most experts of this layer on each worker.
/// @param node `[workers]` the node of each worker, 0 to nodeCount - 1.
/// @param nodeCount nodes.
/// @param expertGroups equal groups of neighbouring experts; 1 for none.
/// @param replicasMax most replicas of an expert.
/// @param hasRepeats whether an expert may be several times on a worker, which then gets that many parts of its rows.
/// @param pins `[experts * workers]` must be there.
/// @param bans `[experts * workers]` must not be there.
record LayerProblem(
        int layer,
        double[] load,
        double[] speed,
        int[] slots,
        int[] node,
        int nodeCount,
        int expertGroups,
        int replicasMax,
        boolean hasRepeats,
        BitSet pins,
        BitSet bans) {

    int experts() {
        return load.length;
    }

    int workers() {
        return speed.length;
    }

    boolean isPinned(int expert, int worker) {
        return pins.get(expert * speed.length + worker);
    }

    boolean isBanned(int expert, int worker) {
        return bans.get(expert * speed.length + worker);
    }

    /// How many workers an expert is pinned to.
    int pinCount(int expert) {
        int from = expert * speed.length;
        return pins.isEmpty() ? 0 : pins.get(from, from + speed.length).cardinality();
    }
}
