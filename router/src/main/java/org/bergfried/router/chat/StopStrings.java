package org.bergfried.router.chat;

import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.jspecify.annotations.Nullable;

/// Cuts text at the first stop string, across the borders of tokens. Nothing of a stop string is let through: what may
/// become one is held back until it is certain.
///
/// Of several, the one that is complete first counts, and of those the longest; so the result does not depend on how
/// the
/// text was divided.
final class StopStrings {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private @Nullable String matched;

    /// @throws ClusterException INVALID_REQUEST if one is empty or a limit is exceeded
    StopStrings(List<String> stops) {
        if (stops.size() > Limits.STOP_STRINGS) {
            throw invalid(stops.size() + " stop strings are more than " + Limits.STOP_STRINGS);
        }
        for (String stop : stops) {
            if (stop.isEmpty()) {
                throw invalid("a stop string is empty");
            }
            if (stop.length() > Limits.STOP_STRING_CHARS) {
                throw invalid(
                        "a stop string of " + stop.length() + " characters is longer than " + Limits.STOP_STRING_CHARS);
            }
        }
        this.stops = List.copyOf(stops);
    }

    private static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }

    /// Takes the next text and returns what may be shown.
    String next(String text) {
        if (matched != null) {
            return "";
        }
        held.append(text);
        int from = -1;
        int end = Integer.MAX_VALUE;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            int stopEnd = at + stop.length();
            if (at >= 0 && (stopEnd < end || (stopEnd == end && at < from))) {
                from = at;
                end = stopEnd;
                matched = stop;
            }
        }
        return release(from >= 0 ? from : held.length() - undecided());
    }

    /// What was held back, when no more text comes; nothing after a match.
    String end() {
        return matched == null ? release(held.length()) : "";
    }

    /// The stop string that was found, or null.
    @Nullable
    String matched() {
        return matched;
    }

    /// The length of the longest end of the text that begins a stop string.
    private int undecided() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (held.indexOf(stop.substring(0, length), held.length() - length) >= 0) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private String release(int count) {
        String shown = held.substring(0, count);
        held.delete(0, count);
        return shown;
    }
}
