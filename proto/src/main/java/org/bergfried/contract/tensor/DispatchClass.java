package org.bergfried.contract.tensor;

/// What a dispatch is for. Each class has a stream of its own, so that long prefills never stand before a decode.
public enum DispatchClass {
    /// Few rows that somebody waits for.
    DECODE(1),
    /// Many rows at once.
    PREFILL(2);

    private final int code;

    DispatchClass(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static DispatchClass of(int code) {
        return switch (code) {
            case 1 -> DECODE;
            case 2 -> PREFILL;
            default -> throw FrameLayout.bad("unknown class " + code);
        };
    }
}
