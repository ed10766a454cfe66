package org.bergfried.router.admit;

import org.bergfried.contract.Require;

/// How many generations a router takes at once.
///
/// @param runningMax generations that run at once, 1 to 30000.
/// @param queuedMax generations that may wait, 0 to 30000.
public record AdmitConfig(int runningMax, int queuedMax) {
    /// Checks the ranges.
    public AdmitConfig {
        Require.range("runningMax", runningMax, 1, 30_000);
        Require.range("queuedMax", queuedMax, 0, 30_000);
    }

    /// Enough for a few workers.
    public static AdmitConfig defaults() {
        return new AdmitConfig(256, 1024);
    }
}
