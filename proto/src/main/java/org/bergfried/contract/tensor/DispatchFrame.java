package org.bergfried.contract.tensor;

import static org.bergfried.contract.tensor.FrameLayout.I32;
import static org.bergfried.contract.tensor.FrameLayout.I64;
import static org.bergfried.contract.tensor.FrameLayout.U16;
import static org.bergfried.contract.tensor.FrameLayout.U8;
import static org.bergfried.contract.tensor.FrameLayout.align;

import java.lang.foreign.MemorySegment;
import org.bergfried.contract.Limits;

/// DISPATCH: rows for experts of one layer, read and written in place. Sections follow each other at multiples of 16
/// bytes.
///
/// | byte | field |
/// | --- | --- |
/// | 0 | kind, 2; u8 class; u8 row encoding; u8 flags (bit 0: the host may use a cold replica) |
/// | 4 | u32 layer |
/// | 8 | i64 dispatchId |
/// | 16 | i64 step |
/// | 24 | 8 bytes model tag, 8 bytes numerics tag |
/// | 40 | i64 epoch of the trunk's placement, 0 without one |
/// | 48 | u32 remaining deadline in milliseconds |
/// | 52 | u32 rows |
/// | 56 | u16 width: experts per row; u16 bytes of this header (64) |
/// | 60 | u32 columns |
/// | 64 | i32 `[rows, width]` experts, -1 where a row has fewer |
/// | | f32 `[rows, width]` gate weights |
/// | | int8 `[rows, columns]` and f32 `[rows, columns / 32]`, or f32 `[rows, columns]` |
public final class DispatchFrame {
    /// Marks an unused place in a row's experts.
    public static final int NO_EXPERT = -1;

    /// Most rows of a frame.
    public static final int ROWS_MAX = 1 << 14;

    private static final int HEADER_BYTES = 64;
    private static final int FLAG_COLD = 1;
    private static final int COLUMNS_MAX = 1 << 16;

    private final MemorySegment frame; // exactly the frame
    private final Header header;
    private final long idsOffset;

    /// What a frame says before its sections.
    ///
    /// @param dispatchId     unique per trunk and start; a retry has a new one.
    /// @param step           the trunk's step, for logs.
    /// @param layer          the model's layer.
    /// @param dispatchClass  what it is for.
    /// @param encoding       how the rows are coded.
    /// @param coldAllowed    whether the host may load experts that it does not have in memory.
    /// @param modelTag       see [HelloFrame#modelTag].
    /// @param numericsTag    see [HelloFrame#numericsTag].
    /// @param epoch          of the trunk's placement, 0 without one.
    /// @param deadlineMillis how long the trunk still waits.
    /// @param rows           rows.
    /// @param width          experts per row, 1 to 64.
    /// @param columns        columns of a row.
    public record Header(
            long dispatchId,
            long step,
            int layer,
            DispatchClass dispatchClass,
            RowEncoding encoding,
            boolean coldAllowed,
            long modelTag,
            long numericsTag,
            long epoch,
            int deadlineMillis,
            int rows,
            int width,
            int columns) {
        /// Checks every bound.
        public Header {
            check("layer", layer, 0, 0xffff);
            check("rows", rows, 1, ROWS_MAX);
            check("experts per row", width, 1, Limits.EXPERTS_PER_TOKEN);
            check("columns", columns, 1, COLUMNS_MAX);
            check("deadline in milliseconds", deadlineMillis, 0, Integer.MAX_VALUE);
            if (encoding == RowEncoding.QUANTISED && columns % RowEncoding.BLOCK_COLUMNS != 0) {
                throw FrameLayout.bad("quantised rows of " + columns + " columns; they must be a multiple of "
                        + RowEncoding.BLOCK_COLUMNS);
            }
        }

        private static void check(String what, int value, int min, int max) {
            if (value < min || value > max) {
                throw FrameLayout.bad(what + " = " + value + "; it must be from " + min + " to " + max);
            }
        }
    }

    private DispatchFrame(MemorySegment frame, Header header, int headerBytes) {
        this.frame = frame;
        this.header = header;
        this.idsOffset = headerBytes;
    }

    /// Size of a frame in bytes.
    public static long bytes(RowEncoding encoding, int rows, int width, int columns) {
        return HEADER_BYTES + bodyBytes(encoding, rows, width, columns);
    }

    /// Most rows of a frame for which neither it nor its answer can be above [Limits#FRAME_BYTES].
    public static int rowsPerFrame(RowEncoding encoding, int width, int columns) {
        long rowBytes = bytes(encoding, 1, width, columns) - HEADER_BYTES;
        long room = Limits.FRAME_BYTES - HEADER_BYTES;
        long rows = Math.min(room / rowBytes, ResultFrame.rowsPerFrame(columns));
        if (rows < 1) {
            throw new IllegalArgumentException("a row of " + columns + " columns does not fit a frame");
        }
        return (int) Math.min(rows, ROWS_MAX);
    }

    /// Writes a header and gives the frame; the caller fills the sections.
    ///
    /// @param target at least [#bytes] long; the frame is its beginning.
    public static DispatchFrame create(MemorySegment target, Header header) {
        long bytes = bytes(header.encoding, header.rows, header.width, header.columns);
        MemorySegment frame = target.asSlice(0, bytes);
        frame.set(U8, 0, FrameKind.DISPATCH.code());
        frame.set(U8, 1, (byte) header.dispatchClass.code());
        frame.set(U8, 2, (byte) header.encoding.code());
        frame.set(U8, 3, (byte) (header.coldAllowed ? FLAG_COLD : 0));
        frame.set(I32, 4, header.layer);
        frame.set(I64, 8, header.dispatchId);
        frame.set(I64, 16, header.step);
        frame.set(I64, 24, header.modelTag);
        frame.set(I64, 32, header.numericsTag);
        frame.set(I64, 40, header.epoch);
        frame.set(I32, 48, header.deadlineMillis);
        frame.set(I32, 52, header.rows);
        frame.set(U16, 56, (short) header.width);
        frame.set(U16, 58, (short) HEADER_BYTES);
        frame.set(I32, 60, header.columns);
        return new DispatchFrame(frame, header, HEADER_BYTES);
    }

    /// Reads a frame in place: the result is a view.
    ///
    /// @throws org.bergfried.contract.ClusterException if any length or value is out of bounds.
    public static DispatchFrame parse(MemorySegment frame) {
        FrameLayout.require(frame, FrameKind.DISPATCH, HEADER_BYTES);
        int headerBytes = FrameLayout.headerBytes(frame, 58, HEADER_BYTES);
        var header = new Header(
                frame.get(I64, 8),
                frame.get(I64, 16),
                FrameLayout.count(frame, 4, "layer", 0xffff),
                DispatchClass.of(FrameLayout.u8(frame, 1)),
                RowEncoding.of(FrameLayout.u8(frame, 2)),
                (FrameLayout.u8(frame, 3) & FLAG_COLD) != 0,
                frame.get(I64, 24),
                frame.get(I64, 32),
                frame.get(I64, 40),
                FrameLayout.count(frame, 48, "deadline in milliseconds", Integer.MAX_VALUE),
                FrameLayout.count(frame, 52, "rows", ROWS_MAX),
                FrameLayout.u16(frame, 56),
                FrameLayout.count(frame, 60, "columns", COLUMNS_MAX));
        long expected = headerBytes + bodyBytes(header.encoding, header.rows, header.width, header.columns);
        if (frame.byteSize() != expected) {
            throw FrameLayout.bad("DISPATCH has " + frame.byteSize() + " bytes where its header asks for " + expected);
        }
        var dispatch = new DispatchFrame(frame, header, headerBytes);
        dispatch.checkExperts();
        return dispatch;
    }

    /// What it says before its sections.
    public Header header() {
        return header;
    }

    /// Its bytes.
    public MemorySegment bytes() {
        return frame;
    }

    /// Rows.
    public int rows() {
        return header.rows;
    }

    /// The expert at a place of a row, or [#NO_EXPERT].
    public int expert(int row, int place) {
        return frame.get(I32, idsOffset + ((long) row * header.width + place) * Integer.BYTES);
    }

    /// The gate weight at a place of a row.
    public float weight(int row, int place) {
        long offset = weightsOffset() + ((long) row * header.width + place) * Float.BYTES;
        return Float.intBitsToFloat(frame.get(I32, offset));
    }

    /// Sets a place of a row.
    public void set(int row, int place, int expert, float weight) {
        long index = ((long) row * header.width + place) * Integer.BYTES;
        frame.set(I32, idsOffset + index, expert);
        frame.set(I32, weightsOffset() + index, Float.floatToRawIntBits(weight));
    }

    /// int8 `[rows, columns]` or float32 `[rows, columns]`, by the encoding.
    public MemorySegment values() {
        return frame.asSlice(valuesOffset(), header.encoding.valueBytes(header.rows, header.columns));
    }

    /// float32 `[rows, columns / 32]`; empty for plain rows.
    public MemorySegment scales() {
        long offset = valuesOffset() + align(header.encoding.valueBytes(header.rows, header.columns));
        return frame.asSlice(offset, header.encoding.scaleBytes(header.rows, header.columns));
    }

    private long weightsOffset() {
        return idsOffset + align((long) header.rows * header.width * Integer.BYTES);
    }

    private long valuesOffset() {
        return weightsOffset() + align((long) header.rows * header.width * Float.BYTES);
    }

    private static long bodyBytes(RowEncoding encoding, int rows, int width, int columns) {
        return 2 * align((long) rows * width * Integer.BYTES)
                + align(encoding.valueBytes(rows, columns))
                + align(encoding.scaleBytes(rows, columns));
    }

    /// An expert twice in a row would be two terms of one sum, and would break kernels that scatter rows.
    private void checkExperts() {
        for (int row = 0; row < header.rows; row++) {
            for (int place = 0; place < header.width; place++) {
                int expert = expert(row, place);
                if (expert < NO_EXPERT || expert >= Limits.EXPERTS_PER_LAYER) {
                    throw FrameLayout.bad(
                            "expert " + expert + " in row " + row + "; it must be below " + Limits.EXPERTS_PER_LAYER);
                }
                for (int earlier = 0; earlier < place; earlier++) {
                    if (expert != NO_EXPERT && expert(row, earlier) == expert) {
                        throw FrameLayout.bad("expert " + expert + " twice in row " + row);
                    }
                }
            }
        }
    }
}
