package org.bergfried.router.placement.live;

/// The load of a model's experts in a window of time.
///
/// @param seconds how long the window really is; 0 if nothing has been counted yet.
/// @param rows `[facts.expertCount()]` rows of each expert.
public record LoadWindow(double seconds, long[] rows) {
    /// Copies.
    public LoadWindow {
        rows = rows.clone();
    }

    /// Rows of all experts.
    public long sum() {
        long sum = 0;
        for (long row : rows) {
            sum += row;
        }
        return sum;
    }
}
