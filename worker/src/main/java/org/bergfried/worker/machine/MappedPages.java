package org.bergfried.worker.machine;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// The pages of mapped files that are in this process's memory.
public final class MappedPages {
    private static final int DONT_NEED = 4; // MADV_DONTNEED

    private MappedPages() {}

    /// Lets go of the pages that lie wholly within a part of a mapped file; they stay in the machine's file cache and
    /// come back when they are touched. Does nothing for memory that is no mapped file, and on other systems
    /// than Linux.
    ///
    /// @return bytes of the pages.
    public static long drop(MemorySegment bytes) {
        Optional<LibC> system = bytes.isMapped() ? LibC.ofLinux() : Optional.empty();
        if (system.isEmpty()) {
            return 0;
        }
        LibC libc = system.get();
        long page = libc.pageSize().call();
        long from = Math.ceilDiv(bytes.address(), page) * page;
        long to = Math.floorDiv(bytes.address() + bytes.byteSize(), page) * page;
        if (to <= from || libc.advise().call(from, to - from, DONT_NEED) != 0) {
            return 0; // a system that does not take the advice keeps the pages: slower, not wrong
        }
        return to - from;
    }
}
