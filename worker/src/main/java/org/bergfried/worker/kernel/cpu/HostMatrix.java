package org.bergfried.worker.kernel.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Float4;
import org.bergfried.worker.tensor.Float8;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Weights of a CPU backend: float types where they are mapped, row after row; integer-coded types as tiles
/// ([TileLayout]) in memory of their own.
public final class HostMatrix implements Matrix {
    private final String name;
    private final ElementType type;
    private final int rows;
    private final int columns;
    private final MemorySegment weights;
    private final @Nullable MemorySegment scales;
    private final @Nullable Arena arena; // of private weights; null for mapped ones
    private volatile boolean closed;

    private HostMatrix(StoredTensor tensor, MemorySegment weights, @Nullable Arena arena) {
        this.name = tensor.name();
        this.type = tensor.type();
        this.rows = tensor.rows();
        this.columns = tensor.columns();
        this.weights = weights;
        this.scales = tensor.scales();
        this.arena = arena;
    }

    /// Weights that stay in the file's mapping.
    static HostMatrix mapped(StoredTensor tensor) {
        return new HostMatrix(tensor, tensor.bytes(), null);
    }

    /// Whether a tensor stays where it is. A native kernel that reads beyond the end of a file that was cut off since
    /// it was mapped ends the process (SIGBUS; Java would get an InternalError); then answers go on elsewhere.
    /// Re-laid weights do not depend on the file any more.
    static boolean staysMapped(StoredTensor tensor) {
        return !tensor.type().integerCoded() && tensor.bytes().isNative();
    }

    /// Bytes of private memory that a tensor's weights take.
    static long residentBytes(StoredTensor tensor) {
        if (staysMapped(tensor)) {
            return 0;
        }
        return tensor.type().integerCoded()
                ? TileLayout.tiles(tensor.rows()) * TileLayout.tileBytes(tensor.type(), tensor.columns())
                : tensor.bytes().byteSize();
    }

    /// Zeroed private memory for the tensor's weights: tiles for integer-coded types, a copy of the rows for others.
    static HostMatrix resident(StoredTensor tensor) {
        long bytes = residentBytes(tensor);
        var arena = Arena.ofShared();
        return new HostMatrix(tensor, arena.allocate(bytes, HostBuffer.ALIGNMENT), arena);
    }

    /// The tensor's name, for messages.
    public String name() {
        return name;
    }

    @Override
    public ElementType type() {
        return type;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    /// Rows of a float type, tiles of an integer-coded one.
    public MemorySegment weights() {
        return weights;
    }

    /// The weight at a row and column of a float matrix, widened to binary32 (exact but for FP8, which is
    /// multiplied by its scale).
    public float floatAt(int row, int column) {
        long index = (long) row * columns + column;
        return switch (type) {
            case F32 -> weights.get(HostBuffer.F32, index * 4);
            case F16 -> Float.float16ToFloat(weights.get(HostBuffer.I16, index * 2));
            case BF16 -> Float.intBitsToFloat(weights.get(HostBuffer.I16, index * 2) << 16);
            case F4_E2M1 -> Float4.weightAt(weights, row * type.rowBytes(columns), column);
            case F8_E4M3 -> Float8.toFloat(weights.get(HostBuffer.I8, index)) * scaleAt(row, column);
            default -> throw new IllegalArgumentException(name + " is integer-coded");
        };
    }

    /// The scales of FP8 weights, float32 `[scaleBlocks(rows), scaleBlocks(columns)]`; null for other types.
    public @Nullable MemorySegment scales() {
        return scales;
    }

    /// The scale of an FP8 weight.
    public float scaleAt(int row, int column) {
        MemorySegment known = scales;
        if (known == null) {
            throw new IllegalArgumentException(name + " has no scales");
        }
        long blockRow = (long) (row / StoredTensor.SCALE_BLOCK) * StoredTensor.scaleBlocks(columns);
        return known.get(HostBuffer.F32, 4 * (blockRow + column / StoredTensor.SCALE_BLOCK));
    }

    @Override
    public long residentBytes() {
        return arena == null ? 0 : weights.byteSize();
    }

    /// Whether its memory was given back.
    public boolean closed() {
        return closed;
    }

    @Override
    public synchronized void close() {
        if (arena != null && !closed) {
            arena.close();
        }
        closed = true;
    }
}
