package org.bergfried.worker.tensor;

/// A view of float32 rows in a buffer: row `i` begins at element `offset + i * stride`. Several views may look at one
/// buffer (the heads of a
/// query, the latent part of a page row).
///
/// @param buffer where the elements are.
/// @param offset first element of row 0, in float32 elements.
/// @param stride elements from one row to the next.
public record Rows(Buffer buffer, long offset, int stride) {
    public Rows {
        if (offset < 0 || stride < 0 || offset * Float.BYTES > buffer.byteSize()) {
            throw new IllegalArgumentException(
                    "rows at " + offset + " with stride " + stride + " in " + buffer.byteSize() + " bytes");
        }
    }

    /// Contiguous rows of `columns` elements from the buffer's start.
    public static Rows of(Buffer buffer, int columns) {
        return new Rows(buffer, 0, columns);
    }

    /// The same rows, beginning `columns` elements further right.
    public Rows right(int columns) {
        return new Rows(buffer, offset + columns, stride);
    }

    /// The same view, beginning `rows` rows further down.
    public Rows down(int rows) {
        return new Rows(buffer, offset + (long) rows * stride, stride);
    }
}
