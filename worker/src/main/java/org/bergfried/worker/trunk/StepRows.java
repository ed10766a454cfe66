package org.bergfried.worker.trunk;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.tensor.Buffer;

/// Where the rows of the step in hand come from and go to: token ids, positions, cache slots, page tables and the
/// rows that want logits. Rows stand in the order of slices and of the tokens in them.
final class StepRows {
    private final Backend backend;
    private final KvCache cache;
    private final TrunkCapacity capacity;
    private final int vocabularySize;
    private final Memory memory;

    private List<Step.Slice> slices = List.of();
    private int count;
    private int wantedCount;
    private int pagesPerSequence; // as wide as the longest slice of this step needs it
    private int positionMax;
    private boolean[] nonFinite = {}; // [slices]

    StepRows(Backend backend, KvCache cache, TrunkCapacity capacity, int vocabularySize, Memory memory) {
        this.backend = backend;
        this.cache = cache;
        this.capacity = capacity;
        this.vocabularySize = vocabularySize;
        this.memory = memory;
    }

    /// Takes the rows of a step in and queues their way to the backend.
    void begin(Step step) {
        check(step);
        slices = step.slices();
        nonFinite = new boolean[slices.size()];
        count = 0;
        wantedCount = 0;
        positionMax = 0;
        for (Step.Slice slice : slices) {
            positionMax = Math.max(positionMax, slice.from() + slice.count() - 1);
        }
        pagesPerSequence = KvCache.pagesFor(positionMax + 1);
        for (int i = 0; i < slices.size(); i++) {
            append(i, slices.get(i));
        }
        write(memory.ids, (long) count * Integer.BYTES);
        write(memory.positions, (long) count * Integer.BYTES);
        write(memory.sequenceOfRow, (long) count * Integer.BYTES);
        write(memory.slots, (long) count * Long.BYTES);
        write(memory.pageTables, (long) slices.size() * pagesPerSequence * Integer.BYTES);
        write(memory.wanted, (long) wantedCount * Integer.BYTES);
    }

    private void check(Step step) {
        int rows = step.rows();
        if (step.slices().isEmpty() || step.slices().size() > capacity.sequencesMax() || rows > capacity.rowsMax()) {
            throw new IllegalArgumentException("a step of " + step.slices().size() + " slices and " + rows
                    + " rows; the trunk has room for 1 to " + capacity.sequencesMax() + " slices and "
                    + capacity.rowsMax() + " rows");
        }
        int wanted = 0;
        for (Step.Slice slice : step.slices()) {
            check(slice);
            wanted += wantedOf(slice);
        }
        if (wanted > capacity.logitsMax()) {
            throw new IllegalArgumentException(
                    "a step wants " + wanted + " rows of logits; the trunk has room for " + capacity.logitsMax());
        }
    }

    private void check(Step.Slice slice) {
        int end = slice.from() + slice.count();
        if (slice.count() < 1
                || slice.from() < 0
                || end > slice.ids().length
                || end > slice.memory().capacity()
                || end > capacity.positionsMax()) {
            throw new IllegalArgumentException("a slice of tokens " + slice.from() + " to " + end + " of "
                    + slice.ids().length + ", with pages for " + slice.memory().capacity()
                    + " positions; the trunk has room for " + capacity.positionsMax());
        }
        for (int i = slice.from(); i < end; i++) {
            if (slice.ids()[i] < 0 || slice.ids()[i] >= vocabularySize) {
                throw new IllegalArgumentException(
                        "token id " + slice.ids()[i] + " is not below the vocabulary size " + vocabularySize);
            }
        }
    }

    private static int wantedOf(Step.Slice slice) {
        return switch (slice.logits()) {
            case NONE -> 0;
            case LAST -> 1;
            case ALL -> slice.count();
        };
    }

    private void append(int sequence, Step.Slice slice) {
        int[] pages = slice.memory().pages();
        int used = KvCache.pagesFor(slice.from() + slice.count());
        MemorySegment.copy(
                pages,
                0,
                memory.pageTables.host,
                ValueLayout.JAVA_INT,
                (long) sequence * pagesPerSequence * Integer.BYTES,
                used);
        int firstWanted = slice.count() - wantedOf(slice);
        for (int i = 0; i < slice.count(); i++) {
            int position = slice.from() + i;
            if (i >= firstWanted) {
                memory.wanted.host.setAtIndex(ValueLayout.JAVA_INT, wantedCount++, count);
            }
            memory.ids.host.setAtIndex(ValueLayout.JAVA_INT, count, slice.ids()[position]);
            memory.positions.host.setAtIndex(ValueLayout.JAVA_INT, count, position);
            memory.sequenceOfRow.host.setAtIndex(ValueLayout.JAVA_INT, count, sequence);
            long slot = cache.slot(pages[position / KvCache.PAGE_ROWS], position % KvCache.PAGE_ROWS);
            memory.slots.host.setAtIndex(ValueLayout.JAVA_LONG, count, slot);
            count++;
        }
    }

    private void write(Twin twin, long bytes) {
        if (bytes > 0) {
            backend.write(twin.host.asSlice(0, bytes), twin.buffer, 0);
        }
    }

    /// Rows of the step.
    int count() {
        return count;
    }

    /// Rows that want logits.
    int wantedCount() {
        return wantedCount;
    }

    /// int32 `[count]`.
    Buffer ids() {
        return memory.ids.buffer;
    }

    /// int32 `[count]`.
    Buffer positions() {
        return memory.positions.buffer;
    }

    /// int64 `[count]`: where each row's keys and values go.
    Buffer slots() {
        return memory.slots.buffer;
    }

    /// int32 `[wantedCount]`: the rows that want logits.
    Buffer wanted() {
        return memory.wanted.buffer;
    }

    /// A layer of the cache as the rows see it.
    CacheView cacheView(int layer) {
        return new CacheView(
                cache.buffer(),
                cache.layerOffset(layer),
                cache.pageStride(),
                cache.rowStride(),
                KvCache.PAGE_ROWS,
                memory.pageTables.buffer,
                pagesPerSequence,
                memory.sequenceOfRow.buffer,
                memory.positions.buffer,
                positionMax);
    }

    /// Ends the sequence of a row with an error, without touching the others.
    void poison(int row) {
        nonFinite[memory.sequenceOfRow.host.getAtIndex(ValueLayout.JAVA_INT, row)] = true;
    }

    /// The row that wanted row `i` of the logits.
    int wantedRow(int i) {
        return memory.wanted.host.getAtIndex(ValueLayout.JAVA_INT, i);
    }

    /// Per slice, whether one of its rows was poisoned.
    boolean[] nonFinite() {
        return nonFinite;
    }

    /// Numbers that are written on the host and read on the backend.
    private record Twin(Buffer buffer, MemorySegment host) {
        static Twin ints(Allocator allocator, long count) {
            return new Twin(allocator.ints(count), allocator.host(count * Integer.BYTES));
        }

        static Twin longs(Allocator allocator, long count) {
            return new Twin(allocator.longs(count), allocator.host(count * Long.BYTES));
        }
    }

    /// Memory for the largest step.
    static final class Memory {
        private final Twin ids; // int32 [rowsMax]
        private final Twin positions; // int32 [rowsMax]
        private final Twin sequenceOfRow; // int32 [rowsMax], the slice of each row
        private final Twin slots; // int64 [rowsMax], in units of cached rows
        private final Twin pageTables; // int32 [sequencesMax, pages of positionsMax]; less wide in most steps
        private final Twin wanted; // int32 [logitsMax]

        Memory(Allocator allocator, TrunkCapacity capacity) {
            ids = Twin.ints(allocator, capacity.rowsMax());
            positions = Twin.ints(allocator, capacity.rowsMax());
            sequenceOfRow = Twin.ints(allocator, capacity.rowsMax());
            slots = Twin.longs(allocator, capacity.rowsMax());
            pageTables =
                    Twin.ints(allocator, (long) capacity.sequencesMax() * KvCache.pagesFor(capacity.positionsMax()));
            wanted = Twin.ints(allocator, capacity.logitsMax());
        }
    }
}
