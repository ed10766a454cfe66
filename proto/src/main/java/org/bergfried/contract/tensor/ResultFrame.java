package org.bergfried.contract.tensor;

import static org.bergfried.contract.tensor.FrameLayout.I32;
import static org.bergfried.contract.tensor.FrameLayout.I64;
import static org.bergfried.contract.tensor.FrameLayout.U16;
import static org.bergfried.contract.tensor.FrameLayout.U8;
import static org.bergfried.contract.tensor.FrameLayout.align;

import java.lang.foreign.MemorySegment;
import org.bergfried.contract.Limits;

/// RESULT: the one answer to a DISPATCH, read in place. It also gives back the credit of that frame's rows.
///
/// | byte | field |
/// | --- | --- |
/// | 0 | kind, 3; u8 outcome; u16 bytes of this header (32) |
/// | 4 | u32 count: rows, or experts that are missing; else 0 |
/// | 8 | i64 dispatchId |
/// | 16 | i64 the host's epoch (STALE), else 0 |
/// | 24 | u32 columns (ROWS), else 0 |
/// | 32 | ROWS: u8 `[rows]` bits per value, then u8 `[rows]` poison flags, then at a multiple of 16 the rows, each
/// packed into whole 64-bit words ([RowPacking]) |
/// | | MISSING: i32 `[count]` experts |
public final class ResultFrame {
    private static final int HEADER_BYTES = 32;

    private final MemorySegment frame; // exactly the frame
    private final Outcome outcome;
    private final int headerBytes;
    private final int count;
    private final int columns;
    private final long[] rowOffsets; // [rows], byte offset of each packed row; empty unless ROWS

    /// How a dispatch ended.
    public enum Outcome {
        /// The sums are there.
        ROWS(1),
        /// The host has seen a newer placement in which it does not host an expert of the frame.
        STALE(2),
        /// The host has not all experts of the frame.
        MISSING(3),
        /// The host has no room for the frame, or no time before its deadline.
        BUSY(4),
        /// The host is shutting down.
        DRAINING(5);

        private final int code;

        Outcome(int code) {
            this.code = code;
        }

        static Outcome of(int code) {
            for (Outcome outcome : values()) {
                if (outcome.code == code) {
                    return outcome;
                }
            }
            throw FrameLayout.bad("unknown outcome " + code);
        }
    }

    private ResultFrame(MemorySegment frame, Outcome outcome, int headerBytes, int count, int columns) {
        this.frame = frame;
        this.outcome = outcome;
        this.headerBytes = headerBytes;
        this.count = count;
        this.columns = columns;
        this.rowOffsets = outcome == Outcome.ROWS ? rowOffsets() : new long[0];
    }

    /// Most bytes that an answer with `rows` rows can have.
    public static long bytesMax(int rows, int columns) {
        return HEADER_BYTES + align(2L * rows) + (long) rows * columns * Long.BYTES;
    }

    /// Most rows whose sums fit a frame whatever their size.
    static int rowsPerFrame(int columns) {
        long perRow = 2 + (long) columns * Long.BYTES;
        return (int) ((Limits.FRAME_BYTES - HEADER_BYTES - FrameLayout.ALIGNMENT) / perRow);
    }

    /// Writes an answer with sums. A poisoned row is sent without its sums.
    ///
    /// @param target   at least [#bytesMax] long; the frame is its beginning.
    /// @param rows     rows.
    /// @param columns  columns of a row.
    /// @param sums     int64 `[rows, columns]`.
    /// @param poisoned int32 `[rows]`, not 0 where a term was not finite or too large.
    /// @return the frame's size in bytes.
    public static long writeRows(
            MemorySegment target, long dispatchId, int rows, int columns, MemorySegment sums, MemorySegment poisoned) {
        writeHeader(target, Outcome.ROWS, dispatchId, rows, 0, columns);
        long end = HEADER_BYTES + align(2L * rows);
        target.asSlice(HEADER_BYTES, end - HEADER_BYTES).fill((byte) 0);
        for (int row = 0; row < rows; row++) {
            boolean bad = poisoned.get(I32, (long) row * Integer.BYTES) != 0;
            long source = (long) row * columns * Long.BYTES;
            int bits = bad ? 0 : RowPacking.bits(sums, source, columns);
            target.set(U8, HEADER_BYTES + row, (byte) bits);
            target.set(U8, HEADER_BYTES + rows + row, (byte) (bad ? 1 : 0));
            RowPacking.pack(sums, source, columns, bits, target, end);
            end += RowPacking.packedBytes(columns, bits);
        }
        return end;
    }

    /// The bytes of an answer without sums.
    ///
    /// @param epoch   the host's epoch (STALE), else 0.
    /// @param missing experts (MISSING), else empty.
    public static byte[] encode(Outcome outcome, long dispatchId, long epoch, int... missing) {
        byte[] bytes = new byte[HEADER_BYTES + missing.length * Integer.BYTES];
        MemorySegment frame = MemorySegment.ofArray(bytes);
        writeHeader(frame, outcome, dispatchId, missing.length, epoch, 0);
        for (int i = 0; i < missing.length; i++) {
            frame.set(I32, HEADER_BYTES + (long) i * Integer.BYTES, missing[i]);
        }
        return bytes;
    }

    /// Reads a frame in place: the result is a view.
    ///
    /// @throws org.bergfried.contract.ClusterException if any length or value is out of bounds.
    public static ResultFrame parse(MemorySegment frame) {
        FrameLayout.require(frame, FrameKind.RESULT, HEADER_BYTES);
        Outcome outcome = Outcome.of(FrameLayout.u8(frame, 1));
        int headerBytes = FrameLayout.headerBytes(frame, 2, HEADER_BYTES);
        int countMax = switch (outcome) {
            case ROWS -> DispatchFrame.ROWS_MAX;
            case MISSING -> Limits.EXPERTS_PER_LAYER;
            case STALE, BUSY, DRAINING -> 0;
        };
        int count = FrameLayout.count(frame, 4, "rows or experts of a RESULT", countMax);
        int columns = FrameLayout.count(frame, 24, "columns", 1 << 16);
        long bodyMin = switch (outcome) {
            case ROWS -> align(2L * count);
            case MISSING -> (long) count * Integer.BYTES;
            case STALE, BUSY, DRAINING -> 0;
        };
        if (frame.byteSize() < headerBytes + bodyMin) {
            throw FrameLayout.bad("RESULT " + outcome + " of " + frame.byteSize() + " bytes needs at least "
                    + (headerBytes + bodyMin));
        }
        return new ResultFrame(frame, outcome, headerBytes, count, columns);
    }

    /// How the dispatch ended.
    public Outcome outcome() {
        return outcome;
    }

    /// Which dispatch it answers.
    public long dispatchId() {
        return frame.get(I64, 8);
    }

    /// The host's epoch (STALE).
    public long epoch() {
        return frame.get(I64, 16);
    }

    /// Rows (ROWS), else 0.
    public int rows() {
        return rowOffsets.length;
    }

    /// Columns of a row (ROWS).
    public int columns() {
        return columns;
    }

    /// Experts that the host does not have (MISSING), else empty.
    public int[] missing() {
        int[] experts = new int[outcome == Outcome.MISSING ? count : 0];
        for (int i = 0; i < experts.length; i++) {
            experts[i] = frame.get(I32, headerBytes + (long) i * Integer.BYTES);
        }
        return experts;
    }

    /// Whether a term of the row was not finite or too large.
    public boolean poisoned(int row) {
        return FrameLayout.u8(frame, headerBytes + count + row) != 0;
    }

    /// Adds a row's sums to int64 `[columns]` at byte `offset` of `sums`.
    public void addTo(int row, MemorySegment sums, long offset) {
        RowPacking.addTo(frame, rowOffsets[row], columns, bits(row), sums, offset);
    }

    private int bits(int row) {
        return FrameLayout.u8(frame, headerBytes + row);
    }

    private long[] rowOffsets() {
        long[] offsets = new long[count];
        long end = headerBytes + align(2L * count);
        for (int row = 0; row < count; row++) {
            if (bits(row) > 64) {
                throw FrameLayout.bad("row " + row + " has " + bits(row) + " bits per value; 64 is the limit");
            }
            offsets[row] = end;
            end += RowPacking.packedBytes(columns, bits(row));
        }
        if (end != frame.byteSize()) {
            throw FrameLayout.bad("RESULT has " + frame.byteSize() + " bytes where its rows take " + end);
        }
        return offsets;
    }

    private static void writeHeader(
            MemorySegment target, Outcome outcome, long dispatchId, int count, long epoch, int columns) {
        target.asSlice(0, HEADER_BYTES).fill((byte) 0);
        target.set(U8, 0, FrameKind.RESULT.code());
        target.set(U8, 1, (byte) outcome.code);
        target.set(U16, 2, (short) HEADER_BYTES);
        target.set(I32, 4, count);
        target.set(I64, 8, dispatchId);
        target.set(I64, 16, epoch);
        target.set(I32, 24, columns);
    }
}
