package org.bergfried.contract.cluster;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// Checks of sizes and identifiers, for records that arrive from other processes.
final class Bounds {
    private Bounds() {}

    /// An identifier has 1 to {@link Limits#ID_CHARS} printable ASCII characters without a slash, which separates
    /// keys.
    static void id(String name, String value) {
        if (value.isEmpty() || value.length() > Limits.ID_CHARS) {
            throw invalid(name + " has " + value.length() + " characters; it must have 1 to " + Limits.ID_CHARS);
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == '/') {
                throw invalid(name + " has the character U+" + Integer.toHexString(c) + " at index " + i
                        + "; printable ASCII without blanks and slashes is allowed");
            }
        }
    }

    /// A label for people and for lookups that is no part of a key: 1 to {@link Limits#ID_CHARS} characters, no
    /// control characters.
    static void label(String name, String value) {
        if (value.isBlank() || value.length() > Limits.ID_CHARS) {
            throw invalid(name + " has " + value.length() + " characters; it must have 1 to " + Limits.ID_CHARS
                    + ", not only blanks");
        }
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw invalid(name + " has a control character");
        }
    }

    static void size(String name, int size, int sizeMax) {
        if (size > sizeMax) {
            throw invalid(name + " has the size " + size + "; the limit is " + sizeMax);
        }
    }

    static void range(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw invalid(name + " = " + value + " must be from " + min + " to " + max);
        }
    }

    static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }
}
