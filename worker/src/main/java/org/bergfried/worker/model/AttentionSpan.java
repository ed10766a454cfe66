package org.bergfried.worker.model;

/// What one layer's attention sees.
///
/// @param window  how many positions up to its own a token sees; 0 for all.
/// @param rotates whether RoPE turns queries and keys.
public record AttentionSpan(int window, boolean rotates) {
    /// All positions, with RoPE.
    public static final AttentionSpan ALL = new AttentionSpan(0, true);
}
