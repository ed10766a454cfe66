package org.bergfried.router.failover;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// Opens attempts at homes.
@FunctionalInterface
public interface AttemptCalls {
    /// Starts an attempt and returns at once; whatever happens, an unreachable home too, is told to the listener.
    ///
    /// @param known what earlier attempts produced, from position 0.
    /// @param remainingMillis until the caller gives up; 0 for no deadline.
    Attempt open(
            WorkerAnnouncement home,
            GenerationRecord generation,
            int attempt,
            TokenIds known,
            long remainingMillis,
            Listener listener);

    /// An attempt that runs.
    @FunctionalInterface
    interface Attempt {
        /// Ends it, so that the home frees what it holds at once; does nothing if it has ended.
        void cancel();
    }

    /// Hears of an attempt, on any thread; it does not block.
    interface Listener {
        /// A token was produced.
        void token(int attempt, int position, int id);

        /// The attempt says that it is complete.
        void ended(int attempt, AnswerEnd end, int tokenCount);

        /// The call ended with an error, or without a word.
        void broken(ClusterException error);
    }
}
