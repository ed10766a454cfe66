package org.bergfried.contract;

import org.jspecify.annotations.Nullable;

/// A configuration that the process refuses to start with. The message names file, path, value and limit; it is
/// meant to be printed alone, without a stack trace.
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// A refusal.
    public ConfigException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
