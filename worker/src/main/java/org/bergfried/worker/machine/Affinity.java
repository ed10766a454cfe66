package org.bergfried.worker.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Processors of single threads.
final class Affinity {
    private static final Logger LOG = LoggerFactory.getLogger(Affinity.class);
    private static final int THIS_THREAD = 0;

    private Affinity() {}

    /// Lets the calling thread run on one processor only.
    static void bind(int processor) {
        LibC.ofLinux().ifPresent(libc -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment mask = arena.allocate(ValueLayout.JAVA_LONG, processor / Long.SIZE + 1L);
                mask.setAtIndex(ValueLayout.JAVA_LONG, processor / Long.SIZE, 1L << processor % Long.SIZE);
                if (libc.setAffinity().call(THIS_THREAD, mask.byteSize(), mask.address()) != 0) {
                    LOG.warn("A compute thread could not be bound to processor {}; it runs where it likes", processor);
                }
            }
        });
    }
}
