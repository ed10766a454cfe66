package org.bergfried.worker.batch;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.bergfried.worker.kvcache.SequenceMemory;

/// A cache that holds token ids instead of keys and values, so that a wrong page shows in every later token.
public final class FakePages implements Pages {
    static final int PAGE = 32;

    public final int[][] cells; // [pages, PAGE] token ids, -1 where nothing was stored
    private final Deque<Integer> freePages = new ArrayDeque<>();

    public FakePages(int total) {
        cells = new int[total][PAGE];
        for (int page = 0; page < total; page++) {
            freePages.add(page);
            Arrays.fill(cells[page], -1);
        }
    }

    @Override
    public SequenceMemory open() {
        return new FakeMemory();
    }

    @Override
    public int total() {
        return cells.length;
    }

    @Override
    public int free() {
        return freePages.size();
    }

    private final class FakeMemory implements SequenceMemory {
        private int[] pages = {};

        @Override
        public boolean reserve(int positions) {
            int wanted = (positions + PAGE - 1) / PAGE;
            if (wanted - pages.length > freePages.size()) {
                return false;
            }
            int had = pages.length;
            pages = Arrays.copyOf(pages, Math.max(had, wanted));
            for (int i = had; i < wanted; i++) {
                pages[i] = freePages.pop();
            }
            return true;
        }

        @Override
        public int capacity() {
            return pages.length * PAGE;
        }

        @Override
        public int[] pages() {
            return pages;
        }

        @Override
        public void close() {
            for (int page : pages) {
                Arrays.fill(cells[page], -1);
                freePages.push(page);
            }
            pages = new int[0];
        }
    }
}
