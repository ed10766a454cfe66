package org.bergfried.worker.kernel.foreign;

/// For which processors the kernels are compiled, from the least demanding on. `library.c` has the same numbers.
public enum Variant {
    /// AVX2, FMA and F16C: x86-64-v3.
    AVX2(0, "AVX2"),
    /// AVX-512 (F, BW, CD, DQ, VL) with VNNI.
    AVX512(1, "AVX-512 VNNI");

    private final int number;
    private final String title;

    Variant(int number, String title) {
        this.number = number;
        this.title = title;
    }

    /// Its number in the library.
    int number() {
        return number;
    }

    /// Its name for reports.
    public String title() {
        return title;
    }
}
