package org.bergfried.contract;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Checks for the compact constructors of configuration records. Messages start with the key, so that
/// [ConfigLoader] can complete them to a path.
public final class Require {
    private Require() {}

    /// A whole number within bounds, both included.
    public static void range(String key, long value, long min, long max) {
        if (value < min || value > max) {
            throw new BrokenLimit(key + " = " + value + " must be from " + min + " to " + max);
        }
    }

    /// A size within bounds, both included.
    public static void range(String key, ByteSize value, ByteSize min, ByteSize max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new BrokenLimit(key + " = " + value + " must be from " + min + " to " + max);
        }
    }

    /// A duration within bounds, both included.
    public static void range(String key, Duration value, Duration min, Duration max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new BrokenLimit(key + " = " + ConfigValues.print(value) + " must be from " + ConfigValues.print(min)
                    + " to " + ConfigValues.print(max));
        }
    }

    /// A text with at least one character that is not blank.
    public static void text(String key, @Nullable String value) {
        if (value == null || value.isBlank()) {
            throw new BrokenLimit(key + " is required and must not be blank");
        }
    }

    /// A value that has no default.
    public static <T> T present(String key, @Nullable T value) {
        if (value == null) {
            throw new BrokenLimit(key + " is required");
        }
        return value;
    }

    /// Anything else that must hold of a key.
    ///
    /// @param rule what must hold, as the end of a sentence that starts with the key.
    public static void that(boolean holds, String key, String rule) {
        if (!holds) {
            throw new BrokenLimit(key + " " + rule);
        }
    }

    /// A broken limit whose message starts with the key.
    static final class BrokenLimit extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        BrokenLimit(String message) {
            super(message);
        }
    }
}
