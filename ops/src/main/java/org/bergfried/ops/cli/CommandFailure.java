package org.bergfried.ops.cli;

/// A command could not do what it was asked; the message is for the user and needs no stack trace.
final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CommandFailure(String message) {
        super(message);
    }

    CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
