package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.MemorySegment;

/// Loops that do one thing only, as fast as one thread can: what kernels are measured against.
public interface PeakLoops {
    /// What they are made of, for reports.
    String title();

    /// Reads memory from its first to its last byte.
    ///
    /// @return anything: it keeps compilers from leaving the loop out.
    long readAll(MemorySegment memory);

    /// Multiplies integers as the fastest products of integer-coded weights do.
    ///
    /// @return multiply-adds of so many rounds.
    long dots(long rounds);

    /// Multiplies and adds float32 numbers.
    ///
    /// @return multiply-adds of so many rounds.
    long fmas(long rounds);
}
