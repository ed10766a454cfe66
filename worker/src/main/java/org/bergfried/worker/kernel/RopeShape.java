package org.bergfried.worker.kernel;

/// How rotary embeddings lie in a row.
///
/// @param heads         heads to turn in each row.
/// @param headStride    elements from one head to the next.
/// @param rotaryColumns how many of a head's first columns turn; even.
/// @param interleaved   true: pairs (2i, 2i+1); false: pairs (i, i + rotaryColumns / 2).
public record RopeShape(int heads, int headStride, int rotaryColumns, boolean interleaved) {}
