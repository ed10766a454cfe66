package org.bergfried.worker.kvcache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.choice.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class KvCacheTest {
    private static final int LAYERS = 3;
    private static final int COLUMNS = 5;
    private static final int PAGES = 10;

    private final Backend backend = Backends.create("scalar", 1);
    private final KvCache cache = new KvCache(backend, LAYERS, COLUMNS, PAGES);

    @AfterEach
    void close() {
        cache.close();
        backend.close();
    }

    @Test
    void reservesWholePagesAndOnlyWhatIsMissing() {
        SequenceMemory memory = cache.open();
        assertTrue(memory.reserve(33));
        assertEquals(64, memory.capacity());
        assertEquals(PAGES - 2, cache.freePages());
        int[] before = memory.pages();
        assertTrue(memory.reserve(64));
        assertEquals(PAGES - 2, cache.freePages());
        assertTrue(memory.reserve(65));
        assertEquals(3, memory.pages().length);
        assertEquals(before[0], memory.pages()[0]);
        assertEquals(before[1], memory.pages()[1]);
        assertTrue(memory.reserve(0), "asking for less gives nothing back");
        assertEquals(96, memory.capacity());
    }

    @Test
    void takesNothingWhenTooFewPagesAreFree() {
        SequenceMemory first = cache.open();
        SequenceMemory second = cache.open();
        assertTrue(first.reserve(32 * 8));
        assertTrue(second.reserve(32));
        int[] held = second.pages().clone();
        assertFalse(second.reserve(32 * 3));
        assertEquals(1, cache.freePages());
        assertArrayEquals(held, second.pages());
        assertTrue(second.reserve(32 * 2), "what is left can still be had");
        assertEquals(0, cache.freePages());
    }

    @Test
    void closingFreesAtOnceAndOnlyOnce() {
        SequenceMemory memory = cache.open();
        assertTrue(memory.reserve(100));
        memory.close();
        assertEquals(PAGES, cache.freePages());
        assertEquals(0, memory.capacity());
        memory.close();
        assertEquals(PAGES, cache.freePages());
        assertTrue(memory.reserve(32), "a closed memory can be reserved anew");
        assertEquals(PAGES - 1, cache.freePages());
    }

    @Test
    void neverLosesOrSharesAPage() {
        var random = new SplittableRandom(7);
        List<SequenceMemory> open = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            if (open.isEmpty() || random.nextInt(3) > 0) {
                SequenceMemory memory = cache.open();
                if (memory.reserve(random.nextInt(1, 32 * 5))) {
                    open.add(memory);
                }
            } else {
                open.remove(random.nextInt(open.size())).close();
            }
            Set<Integer> held = new HashSet<>();
            for (SequenceMemory memory : open) {
                for (int page : memory.pages()) {
                    assertTrue(page >= 0 && page < PAGES && held.add(page), "page " + page + " is held twice");
                }
            }
            assertEquals(PAGES, held.size() + cache.freePages());
        }
    }

    @Test
    void rowsOfDifferentPagesLayersAndPositionsDoNotOverlap() {
        Set<Long> starts = new HashSet<>();
        long last = 0;
        for (int page = 0; page < PAGES; page++) {
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int row = 0; row < KvCache.PAGE_ROWS; row++) {
                    long start = cache.layerOffset(layer) + cache.slot(page, row) * cache.rowStride();
                    assertEquals(
                            cache.layerOffset(layer) + page * cache.pageStride() + (long) row * cache.rowStride(),
                            start);
                    assertTrue(starts.add(start) && start % COLUMNS == 0);
                    last = Math.max(last, start);
                }
            }
        }
        assertEquals(cache.bytes(), (last + COLUMNS) * Float.BYTES);
        assertEquals(KvCache.pageBytes(LAYERS, COLUMNS) * PAGES, cache.bytes());
    }

    @Test
    void refusesSizesBelowOne() {
        assertThrows(IllegalArgumentException.class, () -> new KvCache(backend, 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new KvCache(backend, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> cache.open().reserve(-1));
    }
}
