package org.bergfried.worker.kernel.foreign;

import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.cpu.PeakLoops;

/// The loops in C.
public final class NativePeakLoops implements PeakLoops {
    private final Variant variant;

    /// Loops of a variant that [NativeLibrary#variants()] names.
    public NativePeakLoops(Variant variant) {
        this.variant = variant;
    }

    @Override
    public String title() {
        return "loops in C, " + variant.title();
    }

    @Override
    public long readAll(MemorySegment memory) {
        return NativeCalls.READ_ALL.call(variant.number(), memory.address(), memory.byteSize());
    }

    @Override
    public long dots(long rounds) {
        return NativeCalls.PEAK_DOTS.call(variant.number(), rounds);
    }

    @Override
    public long fmas(long rounds) {
        return NativeCalls.PEAK_FMAS.call(variant.number(), rounds);
    }
}
