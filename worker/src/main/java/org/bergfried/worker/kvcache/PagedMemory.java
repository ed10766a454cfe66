package org.bergfried.worker.kvcache;

import java.util.Arrays;

/// The pages that a sequence holds of a [KvCache].
final class PagedMemory implements SequenceMemory {
    private static final int[] NONE = {};

    private final KvCache cache;
    private int[] pages = NONE;

    PagedMemory(KvCache cache) {
        this.cache = cache;
    }

    @Override
    public boolean reserve(int positions) {
        if (positions < 0) {
            throw new IllegalArgumentException("cannot reserve " + positions + " positions");
        }
        int missing = KvCache.pagesFor(positions) - pages.length;
        if (missing <= 0) {
            return true;
        }
        if (missing > cache.freePages()) {
            return false;
        }
        int[] grown = Arrays.copyOf(pages, pages.length + missing);
        cache.take(grown, pages.length, missing);
        pages = grown;
        return true;
    }

    @Override
    public int capacity() {
        return pages.length * KvCache.PAGE_ROWS;
    }

    @Override
    public int[] pages() {
        return pages;
    }

    @Override
    public void close() {
        cache.giveBack(pages);
        pages = NONE;
    }
}
