package org.bergfried.router.chat.template;

import java.time.Duration;

/// What one rendering may use. A template is a stranger's program and its data is a client's, so each dimension ends.
///
/// @param workMax units of work: one for each node evaluated and element touched, one for each 16 characters made
/// @param charsMax characters (UTF-16 units) of the output, and of any single string on the way
/// @param depthMax nesting of expressions, blocks, macro calls and values
/// @param timeMax time by the clock that the rendering is given
public record RenderLimits(long workMax, int charsMax, int depthMax, Duration timeMax) {
    /// Enough for a prompt of millions of characters; a loop without end is stopped within about a second.
    public static final RenderLimits DEFAULT = new RenderLimits(20_000_000, 16 << 20, 500, Duration.ofSeconds(5));

    public RenderLimits {
        if (workMax < 1 || charsMax < 1 || depthMax < 1 || depthMax > 1_000 || !timeMax.isPositive()) {
            throw new IllegalArgumentException("render limits must be positive and depthMax at most 1000: workMax "
                    + workMax + ", charsMax " + charsMax + ", depthMax " + depthMax + ", timeMax " + timeMax);
        }
    }
}
