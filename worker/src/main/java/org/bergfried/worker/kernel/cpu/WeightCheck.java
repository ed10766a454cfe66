package org.bergfried.worker.kernel.cpu;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I16;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I64;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Float4;
import org.bergfried.worker.tensor.StoredTensor;

/// Refuses weights and scales that are infinite or NaN (ARITHMETIC.md rule 3).
final class WeightCheck {
    private WeightCheck() {}

    /// Checks rows `[from, to)` of a tensor as it lies in the file.
    static void check(StoredTensor tensor, int from, int to) {
        ElementType type = tensor.type();
        switch (type) {
            case F32 -> floats(tensor, from, to, 0x7f800000_7f800000L, 0x00800000_00800000L, 0x80000000_80000000L);
            case BF16 ->
                floats(tensor, from, to, 0x7f80_7f80_7f80_7f80L, 0x0080_0080_0080_0080L, 0x8000_8000_8000_8000L);
            case F16 ->
                floats(tensor, from, to, 0x7c00_7c00_7c00_7c00L, 0x0400_0400_0400_0400L, 0x8000_8000_8000_8000L);
            case F8_E4M3 -> float8(tensor, from, to);
            case F4_E2M1 -> float4(tensor, from, to);
            case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS, INT4 -> scales(tensor, from, to, 0);
            case Q4_1, Q5_1, Q4_K, Q5_K -> {
                scales(tensor, from, to, 0);
                scales(tensor, from, to, 2);
            }
            case Q2_K -> {
                scales(tensor, from, to, 80);
                scales(tensor, from, to, 82);
            }
            case Q3_K -> scales(tensor, from, to, 108);
            case Q6_K -> scales(tensor, from, to, 208);
            case MXFP4 -> {
                // every exponent is finite
            }
        }
    }

    /// Eight bytes at a time: adding one to the exponent carries into the sign's place where it was all ones.
    private static void floats(StoredTensor tensor, int from, int to, long exponent, long one, long carry) {
        long rowBytes = tensor.type().rowBytes(tensor.columns());
        MemorySegment bytes = tensor.bytes();
        long end = to * rowBytes;
        long at = from * rowBytes;
        for (; at + 8 <= end; at += 8) {
            if ((((bytes.get(I64, at) & exponent) + one) & carry) != 0) {
                break;
            }
        }
        for (; at < end; at += tensor.type().blockBytes()) {
            if (!finite(tensor.type(), bytes, at)) {
                throw corrupt(
                        tensor, at / rowBytes, at % rowBytes / tensor.type().blockBytes());
            }
        }
    }

    private static boolean finite(ElementType type, MemorySegment bytes, long at) {
        return switch (type) {
            case F32 -> (bytes.get(I32, at) & 0x7f800000) != 0x7f800000;
            case BF16, INT4 -> (bytes.get(I16, at) & 0x7f80) != 0x7f80;
            default -> (bytes.get(I16, at) & 0x7c00) != 0x7c00;
        };
    }

    private static void scales(StoredTensor tensor, int from, int to, int scaleOffset) {
        ElementType type = tensor.type();
        long blocks = tensor.columns() / type.blockColumns();
        for (long block = from * blocks; block < to * blocks; block++) {
            if (!finite(type, tensor.bytes(), block * type.blockBytes() + scaleOffset)) {
                throw corrupt(tensor, block / blocks, block % blocks * type.blockColumns());
            }
        }
    }

    /// Refuses NaN among codes and numbers that are not finite among scales.
    private static void float8(StoredTensor tensor, int from, int to) {
        MemorySegment bytes = tensor.bytes();
        int columns = tensor.columns();
        for (long at = (long) from * columns; at < (long) to * columns; at++) {
            if ((bytes.get(I8, at) & 0x7f) == 0x7f) {
                throw corrupt(tensor, at / columns, at % columns);
            }
        }
        MemorySegment scales = tensor.requireScales();
        int across = StoredTensor.scaleBlocks(columns);
        int down = StoredTensor.scaleBlocks(to);
        for (int row = from / StoredTensor.SCALE_BLOCK; row < down; row++) {
            for (int block = 0; block < across; block++) {
                if (!Float.isFinite(scales.get(F32, 4L * ((long) row * across + block)))) {
                    throw corrupt(
                            tensor, (long) row * StoredTensor.SCALE_BLOCK, (long) block * StoredTensor.SCALE_BLOCK);
                }
            }
        }
    }

    /// Refuses exponents with which a weight would not be finite.
    private static void float4(StoredTensor tensor, int from, int to) {
        long rowBytes = ElementType.F4_E2M1.rowBytes(tensor.columns());
        for (long at = from * rowBytes; at < to * rowBytes; at += Float4.BLOCK_BYTES) {
            if ((tensor.bytes().get(I8, at) & 255) > Float4.EXPONENT_MAX) {
                throw corrupt(tensor, at / rowBytes, at % rowBytes / Float4.BLOCK_BYTES * Float4.BLOCK_COLUMNS);
            }
        }
    }

    private static ClusterException corrupt(StoredTensor tensor, long row, long column) {
        return new ClusterException(
                ErrorReason.WEIGHTS_CORRUPT,
                "tensor " + tensor.name() + " (" + tensor.type() + ") has an infinite or NaN weight or scale at row "
                        + row + ", column " + column + "; fetch the model file again and verify its digest",
                Map.of("tensor", tensor.name(), "row", Long.toString(row), "column", Long.toString(column)));
    }
}
