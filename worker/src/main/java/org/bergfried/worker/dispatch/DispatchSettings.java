package org.bergfried.worker.dispatch;

import java.time.Duration;

/// How long a dispatch waits, and for what.
///
/// @param hotTimeout      after which a host that gives no sign of life is taken for lost.
/// @param coldTimeout     the same where it may have to load experts from disk first, and for this worker's own host.
/// @param busyBackoff     pause before a busy host is asked again; doubles each time.
/// @param busyRetriesMax  how often a busy host is asked again before it is left alone for the layer.
/// @param decodeRowsMax   dispatches of more rows travel as prefill.
public record DispatchSettings(
        Duration hotTimeout, Duration coldTimeout, Duration busyBackoff, int busyRetriesMax, int decodeRowsMax) {
    /// Checks the ranges.
    public DispatchSettings {
        positive("hotTimeout", hotTimeout);
        positive("coldTimeout", coldTimeout);
        positive("busyBackoff", busyBackoff);
        if (busyRetriesMax < 0 || busyRetriesMax > 20 || decodeRowsMax < 0) {
            throw new IllegalArgumentException("busyRetriesMax = " + busyRetriesMax
                    + " must be from 0 to 20, decodeRowsMax = " + decodeRowsMax + " not negative");
        }
    }

    /// A lost host costs a step five seconds at most, and usually none: its stream breaks at once.
    public static DispatchSettings defaults() {
        return new DispatchSettings(Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofMillis(2), 8, 64);
    }

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " = " + value + " must be positive");
        }
    }
}
