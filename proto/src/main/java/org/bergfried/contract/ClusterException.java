package org.bergfried.contract;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An operating error: something that goes wrong in a correct program, with the reason a caller can act on. The
/// message names the thing, the value, the limit and the next action, and never contains a prompt or an answer.
/// Metadata are short machine-readable details, sent to the client as they are.
public final class ClusterException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorReason reason;
    private final transient Map<String, String> metadata;

    /// An error without details.
    public ClusterException(ErrorReason reason, String message) {
        this(reason, message, Map.of(), null);
    }

    /// An error with machine-readable details.
    public ClusterException(ErrorReason reason, String message, Map<String, String> metadata) {
        this(reason, message, metadata, null);
    }

    /// An error with its cause, which is logged and never sent.
    public ClusterException(ErrorReason reason, String message, @Nullable Throwable cause) {
        this(reason, message, Map.of(), cause);
    }

    /// An error with details and its cause.
    public ClusterException(
            ErrorReason reason, String message, Map<String, String> metadata, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.metadata = Map.copyOf(metadata);
    }

    /// Why it failed.
    public ErrorReason reason() {
        return reason;
    }

    /// Machine-readable details; empty where there are none.
    public Map<String, String> metadata() {
        return metadata;
    }

    /// The message, which is never absent here.
    public String text() {
        return String.valueOf(getMessage());
    }
}
