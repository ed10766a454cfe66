package org.bergfried.router.failover;

import java.util.List;
import org.bergfried.contract.ClusterException;

/// The client's side of a generation. Called on the generation's own thread, in order; it must not block.
public interface GenerationListener {
    /// The answer starts.
    ///
    /// @param resumable whether the record is stored, so that another router can go on with it.
    void started(boolean resumable);

    /// The next token.
    ///
    /// @return whether more are wanted; false when the text has reached a stop string.
    boolean token(int position, int id);

    /// All tokens were given.
    ///
    /// @param homes the workers that were its home under this router, in order.
    /// @return the finish reason as the client sees it.
    String finished(AnswerEnd end, List<String> homes);

    /// The answer ends with an error.
    void failed(ClusterException error);
}
