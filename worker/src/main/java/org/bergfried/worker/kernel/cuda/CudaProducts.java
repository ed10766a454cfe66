package org.bergfried.worker.kernel.cuda;

import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;

/// Chooses the kernel of a product by the weights' type and the number of activation rows. All make the same bits.
final class CudaProducts {
    private static final int TILE_ROWS = 32;
    private static final int SEGMENT = 256; // columns whose sum is formed on its own
    private static final int FEW_MAX = 8; // rows up to which the kernels for few of them are used
    private static final int MANY_ROWS = 32; // of a block of the kernels for many rows; likewise their tiles
    private static final int MANY_TILES = 4;
    private static final int FLOAT_OUTPUTS = 4; // weight rows of a warp; likewise the warps of a block
    private static final int FLOAT_WARPS = 4;
    private static final int WARP = 32;

    private final CudaStream stream;

    CudaProducts(CudaStream stream) {
        this.stream = stream;
    }

    /// Whether there are kernels for a type.
    static boolean supports(ElementType type) {
        return switch (type) {
            case F32, F16, BF16, Q8_0, Q4_0 -> true;
            default -> false;
        };
    }

    /// Bytes that a matrix takes.
    static long residentBytes(StoredTensor tensor) {
        if (tensor.type().integerCoded()) {
            long bytes = CpuBackend.WEIGHTS.residentBytes(tensor);
            return supports(tensor.type()) ? DevicePool.aligned(bytes) : bytes;
        }
        return DevicePool.aligned(tensor.bytes().byteSize());
    }

    /// A type's number in the kernels.
    static int number(ElementType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 2;
            case Q8_0 -> 3;
            case Q4_0 -> 4;
            default -> throw new IllegalArgumentException("no CUDA kernel for " + type);
        };
    }

    /// Queues a product of validated operands.
    void multiply(CudaMatrix.OnDevice w, Rows x, Codes codes, int n, Rows y) {
        if (!w.type().integerCoded()) {
            floats(w, x, n, y);
        } else if (n <= FEW_MAX) {
            few(w, codes, n, y);
        } else {
            Kernel kernel = coded("many_" + w.type(), w, codes, n, y);
            int tiles = Math.ceilDiv(w.rows(), TILE_ROWS);
            kernel.launch(Math.ceilDiv(tiles, MANY_TILES), Math.ceilDiv(n, MANY_ROWS), MANY_TILES * WARP, 1, 0);
        }
    }

    private void few(CudaMatrix.OnDevice w, Codes codes, int n, Rows y) {
        int atOnce = n <= 1 ? 1 : Integer.highestOneBit(n - 1) << 1;
        int warps = Math.min(8, Math.ceilDiv(w.columns(), SEGMENT));
        Kernel kernel = coded("few_" + w.type() + "_" + atOnce, w, codes, n, y);
        kernel.launch(Math.ceilDiv(w.rows(), TILE_ROWS), 1, WARP, warps, 0);
    }

    private Kernel coded(String name, CudaMatrix.OnDevice w, Codes codes, int n, Rows y) {
        return stream.kernel(name)
                .wide(w.address())
                .integer(w.rows())
                .integer(w.columns())
                .wide(CudaBuffer.address(codes.q()))
                .wide(CudaBuffer.address(codes.scales()))
                .integer(n)
                .wide(CudaBackend.address(y))
                .integer(y.stride());
    }

    private void floats(CudaMatrix.OnDevice w, Rows x, int n, Rows y) {
        int atOnce = n == 1 ? 1 : 8;
        Kernel kernel = stream.kernel("rows_" + w.type() + "_" + atOnce)
                .wide(w.address())
                .integer(w.rows())
                .integer(w.columns())
                .wide(CudaBackend.address(x))
                .integer(x.stride())
                .integer(n)
                .wide(CudaBackend.address(y))
                .integer(y.stride());
        int blocks = Math.ceilDiv(w.rows(), FLOAT_OUTPUTS * FLOAT_WARPS);
        kernel.launch(blocks, Math.ceilDiv(n, atOnce), FLOAT_WARPS * WARP, 1, 0);
    }
}
