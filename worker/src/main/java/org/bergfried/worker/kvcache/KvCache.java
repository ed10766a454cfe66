package org.bergfried.worker.kvcache;

import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.tensor.Buffer;

/// The pool of pages in which all sequences of a trunk keep their keys and values: one buffer of the backend,
/// float32 `[pages, layers, PAGE_ROWS, columns]`, so that one page number stands for 32 positions of every layer.
/// Pages are handed out and taken back by the step loop's thread, which alone may open, reserve and close; the
/// counters may be read by any thread.
///
/// Pages are not cleared when they change hands: a row sees only the positions of its own sequence that are already
/// written (ARITHMETIC.md rule G), so what a page held before can reach nobody.
public final class KvCache implements AutoCloseable {
    /// Positions in a page.
    public static final int PAGE_ROWS = 32;

    private final Backend backend;
    private final Buffer buffer; // float32 [pages, layers, PAGE_ROWS, columns]
    private final int layers;
    private final int columns;
    private final int[] free; // the first freeCount are free; the last of them is taken next
    private volatile int freeCount;

    /// @param layers  layers of the model.
    /// @param columns float32 elements that one position takes in one layer.
    /// @param pages   pages in all.
    public KvCache(Backend backend, int layers, int columns, int pages) {
        if (layers < 1 || columns < 1 || pages < 1) {
            throw new IllegalArgumentException("a KV cache of " + pages + " pages, " + layers + " layers and " + columns
                    + " columns: each must be at least 1");
        }
        this.backend = backend;
        this.layers = layers;
        this.columns = columns;
        this.buffer = backend.allocate(Math.multiplyExact(pageBytes(layers, columns), (long) pages));
        this.free = new int[pages];
        for (int i = 0; i < pages; i++) {
            free[i] = pages - 1 - i;
        }
        this.freeCount = pages;
    }

    /// Bytes of one page.
    public static long pageBytes(int layers, int columns) {
        return Math.multiplyExact((long) layers * PAGE_ROWS, (long) columns * Float.BYTES);
    }

    /// Pages that hold `positions` positions.
    public static int pagesFor(int positions) {
        return Math.ceilDiv(positions, PAGE_ROWS);
    }

    /// A sequence's memory, without pages yet.
    public SequenceMemory open() {
        return new PagedMemory(this);
    }

    /// Pages in all.
    public int pages() {
        return free.length;
    }

    /// Pages that nobody holds.
    public int freePages() {
        return freeCount;
    }

    /// Bytes of the pool.
    public long bytes() {
        return buffer.byteSize();
    }

    /// The pages' memory.
    public Buffer buffer() {
        return buffer;
    }

    /// float32 elements from one cached row to the next.
    public int rowStride() {
        return columns;
    }

    /// Element at which a layer begins inside a page.
    public long layerOffset(int layer) {
        return (long) layer * PAGE_ROWS * columns;
    }

    /// float32 elements from one page to the next.
    public long pageStride() {
        return (long) layers * PAGE_ROWS * columns;
    }

    /// The slot, in units of cached rows and the same for every layer, of a row of a page: added to a layer's offset
    /// it is where [Backend#store] writes.
    public long slot(int page, int row) {
        return (long) page * layers * PAGE_ROWS + row;
    }

    /// Takes `count` of the free pages and writes their numbers to `pages[from ..]`.
    void take(int[] pages, int from, int count) {
        int left = freeCount - count;
        if (left < 0) {
            throw new IllegalStateException("took " + count + " pages where " + freeCount + " are free");
        }
        for (int i = 0; i < count; i++) {
            pages[from + i] = free[left + count - 1 - i];
        }
        freeCount = left;
    }

    void giveBack(int[] pages) {
        int count = freeCount;
        if (count + pages.length > free.length) {
            throw new IllegalStateException("pages were given back twice");
        }
        for (int i = pages.length - 1; i >= 0; i--) {
            free[count++] = pages[i];
        }
        freeCount = count;
    }

    /// Frees the pool. No step may run and no sequence may be used afterwards.
    @Override
    public void close() {
        backend.free(buffer);
    }
}
