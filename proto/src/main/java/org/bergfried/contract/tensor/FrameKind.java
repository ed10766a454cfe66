package org.bergfried.contract.tensor;

import java.lang.foreign.MemorySegment;

/// What a frame is: its byte 0.
public enum FrameKind {
    /// Opens a stream, in both directions.
    HELLO(1),
    /// Rows for experts, from trunk to host.
    DISPATCH(2),
    /// The answer to one DISPATCH.
    RESULT(3),
    /// Rows that the trunk may send.
    CREDIT(4);

    private final int code;

    FrameKind(int code) {
        this.code = code;
    }

    byte code() {
        return (byte) code;
    }

    /// The kind of a frame.
    ///
    /// @throws org.bergfried.contract.ClusterException if it is empty or of no known kind.
    public static FrameKind of(MemorySegment frame) {
        if (frame.byteSize() == 0) {
            throw FrameLayout.bad("it is empty");
        }
        int code = FrameLayout.u8(frame, 0);
        for (FrameKind kind : values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw FrameLayout.bad("unknown kind " + code);
    }
}
