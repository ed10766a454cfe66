package org.bergfried.worker.expert;

import org.bergfried.contract.ClusterException;

/// Another way to an expert's weights where those in the worker's own files are corrupt.
@FunctionalInterface
public interface Repair {
    /// There is none.
    Repair NONE = (layer, expert, corrupt) -> {
        throw corrupt;
    };

    /// Gets copies of the expert's tensors that have been compared with their digests.
    ///
    /// @param corrupt what is wrong with the worker's own files.
    /// @throws ClusterException WEIGHTS_CORRUPT if nobody has them.
    ExpertCopies fetch(int layer, int expert, ClusterException corrupt);
}
