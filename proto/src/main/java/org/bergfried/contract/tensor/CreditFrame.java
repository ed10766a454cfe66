package org.bergfried.contract.tensor;

import java.lang.foreign.MemorySegment;

/// CREDIT: the host grants rows for which it has memory. Answering a DISPATCH gives the credit of its rows back
/// without a frame, so this one is sent after HELLO and when a grant grows.
///
/// | byte | field |
/// | --- | --- |
/// | 0 | kind, 4; bytes 1 to 3 are zero |
/// | 4 | u32 rows |
///
/// @param rows rows granted, in addition to earlier grants.
public record CreditFrame(int rows) {
    /// Size of the frame.
    public static final int BYTES = 8;

    /// Most rows of a grant.
    public static final int ROWS_MAX = 1 << 16;

    /// Checks the bound.
    public CreditFrame {
        if (rows < 1 || rows > ROWS_MAX) {
            throw FrameLayout.bad("a credit of " + rows + " rows; it must be from 1 to " + ROWS_MAX);
        }
    }

    /// The frame's bytes.
    public byte[] encode() {
        byte[] bytes = new byte[BYTES];
        MemorySegment frame = MemorySegment.ofArray(bytes);
        frame.set(FrameLayout.U8, 0, FrameKind.CREDIT.code());
        frame.set(FrameLayout.I32, 4, rows);
        return bytes;
    }

    /// Reads a frame.
    ///
    /// @throws org.bergfried.contract.ClusterException if it is malformed.
    public static CreditFrame parse(MemorySegment frame) {
        FrameLayout.require(frame, FrameKind.CREDIT, BYTES);
        return new CreditFrame(FrameLayout.count(frame, 4, "credit in rows", ROWS_MAX));
    }
}
