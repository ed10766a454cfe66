package org.bergfried.contract;

/// A value that must not be printed: its text form is a mask, and only {@link #reveal()} gives it away.
public record Secret(String reveal) {
    /// What is printed instead of a secret.
    public static final String MASK = "******";

    @Override
    public String toString() {
        return MASK;
    }
}
