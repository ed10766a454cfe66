package org.bergfried.router.api.admin;

import org.bergfried.contract.cluster.ExpertOnWorker;

/// Pairs made from requests.
final class Experts {
    private Experts() {}

    /// An expert and a worker; both are checked against the model where they are used.
    ///
    /// @throws org.bergfried.contract.ClusterException INVALID_REQUEST if they cannot be of any model.
    static ExpertOnWorker on(int layer, int expert, String workerId) {
        return new ExpertOnWorker(layer, expert, workerId);
    }
}
