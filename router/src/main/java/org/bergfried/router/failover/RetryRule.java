package org.bergfried.router.failover;

import org.bergfried.contract.ErrorReason;

/// What an attempt's error means for its generation.
enum RetryRule {
    /// The error is the request's own: every home would answer the same.
    END,
    /// The home is lost or busy: the next home goes on, as long as the patience lasts.
    NEXT_HOME,
    /// It may be the home or the request: a few homes are tried.
    FEW_HOMES;

    static RetryRule of(ErrorReason reason) {
        return switch (reason) {
            case INVALID_REQUEST,
                    CONTEXT_TOO_LONG,
                    TOO_LARGE,
                    MODEL_UNSUPPORTED,
                    SESSION_NOT_FOUND,
                    SESSION_FORKED,
                    GENERATION_NOT_FOUND,
                    STALE_PLAN,
                    DEADLINE,
                    NONFINITE_OUTPUT,
                    NOT_IMPLEMENTED -> END;
            case WORKER_LOST, DRAINING, EXPERT_UNPLACED, QUEUE_FULL, QUOTA_EXCEEDED -> NEXT_HOME;
            case MODEL_NOT_FOUND, WEIGHTS_CORRUPT, UNAUTHENTICATED, FORBIDDEN, CANCELLED, INTERNAL -> FEW_HOMES;
        };
    }
}
