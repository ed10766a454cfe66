package org.bergfried.worker.hosting;

import java.nio.ByteBuffer;
import org.bergfried.contract.cluster.ExpertSet;

/// Other workers, asked for experts' bytes and for their word. Calls block for seconds at most.
public interface WeightPeers {
    /// Takes the pieces of an expert's tensors in the order in which they come.
    @FunctionalInterface
    interface PieceSink {
        /// Takes one.
        ///
        /// @param tensor name of the tensor in the manifest.
        /// @param offset of the piece's first byte in it.
        /// @param piece  valid during the call.
        void piece(String tensor, long offset, ByteBuffer piece);
    }

    /// Gets what a worker's model files hold of an expert, unverified.
    ///
    /// @throws org.bergfried.contract.ClusterException if the worker is not there or refuses.
    void fetch(String workerId, int layer, int expert, PieceSink sink);

    /// Which of some experts a worker has in memory and is not about to let go of.
    ///
    /// @throws org.bergfried.contract.ClusterException if the worker is not there or refuses.
    ExpertSet confirm(String workerId, ExpertSet experts);
}
