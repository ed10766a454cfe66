package org.bergfried.contract;

/// Why a request or an operation failed: the one table from which gRPC codes, HTTP statuses and retry rules are
/// taken. The name of a row is the `reason` of `google.rpc.ErrorInfo` and the `code` of an OpenAI error body, so
/// a row is never renamed.
public enum ErrorReason {
    /// A field has a wrong value, type or shape.
    INVALID_REQUEST("INVALID_ARGUMENT", 400, false),
    /// Prompt and answer do not fit the model's context.
    CONTEXT_TOO_LONG("INVALID_ARGUMENT", 400, false),
    /// No valid credentials.
    UNAUTHENTICATED("UNAUTHENTICATED", 401, false),
    /// Valid credentials without the right to do this.
    FORBIDDEN("PERMISSION_DENIED", 403, false),
    /// No model of that name is served.
    MODEL_NOT_FOUND("NOT_FOUND", 404, false),
    /// No session of that id for this tenant.
    SESSION_NOT_FOUND("NOT_FOUND", 404, false),
    /// No resumable generation of that id for this tenant: unknown, or ended too long ago.
    GENERATION_NOT_FOUND("NOT_FOUND", 404, false),
    /// Architecture, weight type or field of a model that is not understood.
    MODEL_UNSUPPORTED("FAILED_PRECONDITION", 400, false),
    /// Another turn of the session came first.
    SESSION_FORKED("ABORTED", 409, false),
    /// A body, message or frame above its limit. It never fits, hence not the retryable RESOURCE_EXHAUSTED.
    TOO_LARGE("INVALID_ARGUMENT", 413, false),
    /// The caller went away or cancelled.
    CANCELLED("CANCELLED", 499, false),
    /// The router's queue is full.
    QUEUE_FULL("RESOURCE_EXHAUSTED", 429, true),
    /// The tenant's quota is used up for now.
    QUOTA_EXCEEDED("RESOURCE_EXHAUSTED", 429, true),
    /// The caller's deadline passed. Not retried: the time is the caller's and it is used up.
    DEADLINE("DEADLINE_EXCEEDED", 504, false),
    /// No living worker hosts an expert that the request needs.
    EXPERT_UNPLACED("UNAVAILABLE", 503, true),
    /// A worker died and no other could take over.
    WORKER_LOST("UNAVAILABLE", 503, true),
    /// The process is shutting down and takes nothing new.
    DRAINING("UNAVAILABLE", 503, true),
    /// A command of a plan came after one of a higher epoch, or of another plan with the same epoch.
    STALE_PLAN("FAILED_PRECONDITION", 409, false),
    /// Weights differ from their digest; the worker refuses to serve.
    WEIGHTS_CORRUPT("DATA_LOSS", 500, false),
    /// The model produced NaN, infinity or a term beyond the fixed-point range for this sequence.
    NONFINITE_OUTPUT("INTERNAL", 500, false),
    /// Known to the API, not built.
    NOT_IMPLEMENTED("UNIMPLEMENTED", 501, false),
    /// A bug.
    INTERNAL("INTERNAL", 500, false);

    private final String grpcCode;
    private final int httpStatus;
    private final boolean retryable;

    ErrorReason(String grpcCode, int httpStatus, boolean retryable) {
        this.grpcCode = grpcCode;
        this.httpStatus = httpStatus;
        this.retryable = retryable;
    }

    /// The name of the gRPC status code, as in `io.grpc.Status.Code`.
    public String grpcCode() {
        return grpcCode;
    }

    /// The HTTP status.
    public int httpStatus() {
        return httpStatus;
    }

    /// Whether the same request, sent again a little later, may succeed.
    public boolean retryable() {
        return retryable;
    }
}
