package org.bergfried.worker.kernel.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bergfried.worker.kernel.AttentionShape;
import org.bergfried.worker.kernel.CacheView;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.Shapes;
import org.bergfried.worker.kernel.WeightSize;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A backend on a CUDA device: validates an operation and queues its kernel on a stream of its own. Row numbers in
/// buffers are not looked at: only the device could.
///
/// Matrices of one CUDA backend may be used by another one of the same device. Operations are called by one thread
/// at a time; `load`, `allocate` and `free` by any.
public final class CudaBackend extends RowOperations {
    /// What weights take of device memory; those without a kernel take as much of the host's.
    public static final WeightSize WEIGHTS = CudaProducts::residentBytes;

    private static final Logger LOG = LoggerFactory.getLogger(CudaBackend.class);
    private static final int STAGING_HALF = 4 << 20;

    private final CudaProducts products;
    private final CudaAttention attention;
    private final CpuBackend host;
    private final HostProducts hostProducts;
    private final Set<CudaBuffer> buffers = Collections.newSetFromMap(new IdentityHashMap<>()); // guarded by itself
    private final Set<CudaMatrix> matrices = ConcurrentHashMap.newKeySet();
    private final boolean ownsDevice;

    /// A backend with a stream of its own.
    ///
    /// @param device outlives the backend.
    /// @param host   checks and re-lays weights, and computes what the device has no kernel for; it ends with this.
    public CudaBackend(CudaDevice device, CpuBackend host) {
        this(device, host, false);
    }

    private CudaBackend(CudaDevice device, CpuBackend host, boolean ownsDevice) {
        super(device, new CudaStream(device, STAGING_HALF));
        this.ownsDevice = ownsDevice;
        this.host = host;
        products = new CudaProducts(stream);
        attention = new CudaAttention(device, stream);
        hostProducts = new HostProducts(host, stream);
    }

    /// A backend with which its device ends.
    public static CudaBackend alone(CudaDevice device, CpuBackend host) {
        return new CudaBackend(device, host, true);
    }

    /// Bytes of device memory beside what is allocated and loaded.
    public static long scratchBytes() {
        return CudaAttention.SCRATCH;
    }

    /// Whether a type's products are computed on the device.
    public static boolean supports(ElementType type) {
        return CudaProducts.supports(type);
    }

    /// Bytes of the host that a backend pins for copies.
    public static long pinnedBytes() {
        return CudaStream.pinnedBytes(STAGING_HALF);
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public Matrix load(StoredTensor tensor) {
        var weights = (HostMatrix) host.load(tensor);
        CudaMatrix matrix;
        if (CudaProducts.supports(tensor.type())) {
            try (weights) {
                matrix = new CudaMatrix.OnDevice(
                        device,
                        tensor.name(),
                        tensor.type(),
                        tensor.rows(),
                        tensor.columns(),
                        device.upload(weights.weights()));
            }
        } else {
            LOG.warn(
                    "{} is {}, for which there is no CUDA kernel: the CPU computes its products",
                    tensor.name(),
                    tensor.type());
            matrix = new CudaMatrix.OnHost(tensor.name(), weights);
        }
        matrices.removeIf(CudaMatrix::closed);
        matrices.add(matrix);
        return matrix;
    }

    @Override
    public WeightSize weightSize() {
        return WEIGHTS;
    }

    @Override
    public Buffer allocate(long bytes) {
        var buffer = new CudaBuffer(device.allocate(bytes), bytes);
        synchronized (buffers) {
            buffers.add(buffer);
        }
        return buffer;
    }

    @Override
    public void free(Buffer buffer) {
        synchronized (buffers) {
            if (!buffers.remove((CudaBuffer) buffer)) {
                throw new IllegalArgumentException("a buffer of another backend, or freed before");
            }
        }
        await();
        device.release(((CudaBuffer) buffer).block());
    }

    @Override
    public void write(MemorySegment source, Buffer target, long targetByteOffset) {
        Shapes.atLeast("target", target, targetByteOffset + source.byteSize());
        device.use();
        stream.write(source, CudaBuffer.address(target, targetByteOffset));
    }

    @Override
    public void read(Buffer source, long sourceByteOffset, MemorySegment target) {
        Shapes.atLeast("source", source, sourceByteOffset + target.byteSize());
        device.use();
        stream.read(CudaBuffer.address(source, sourceByteOffset), target);
    }

    @Override
    public void await() {
        device.use();
        stream.await();
    }

    @Override
    public void embed(Matrix table, Buffer ids, int n, Rows y) {
        Shapes.rows("y", y, n, table.columns());
        Shapes.atLeast("ids", ids, (long) n * Integer.BYTES);
        if (n == 0) {
            return;
        }
        device.use();
        switch ((CudaMatrix) table) {
            case CudaMatrix.OnHost weights -> hostProducts.embed(weights, ids, n, y);
            case CudaMatrix.OnDevice weights ->
                rows(
                        kernel("embed")
                                .wide(weights.address())
                                .integer(CudaProducts.number(weights.type()))
                                .wide(CudaBuffer.address(ids))
                                .integer(weights.columns())
                                .wide(address(y))
                                .integer(y.stride()),
                        n,
                        weights.columns());
        }
    }

    @Override
    public void quantise(Rows x, int n, Codes codes) {
        Shapes.codes(codes, n);
        Shapes.rows("x", x, n, codes.columns());
        int blocks = Math.multiplyExact(n, codes.columns() / WARP);
        if (blocks > 0) {
            device.use();
            kernel("quantise")
                    .wide(address(x))
                    .integer(x.stride())
                    .wide(CudaBuffer.address(codes.q()))
                    .wide(CudaBuffer.address(codes.scales()))
                    .integer(codes.columns())
                    .integer(blocks)
                    .launch(Math.ceilDiv(blocks, WIDTH_MAX / WARP), 1, WIDTH_MAX, 1, 0);
        }
    }

    @Override
    public void multiply(Matrix w, Rows x, Codes codes, int n, Rows y) {
        Shapes.product(w, x, codes, n, y);
        if (n == 0) {
            return;
        }
        device.use();
        switch ((CudaMatrix) w) {
            case CudaMatrix.OnHost weights -> hostProducts.multiply(weights, x, codes, n, y);
            case CudaMatrix.OnDevice weights -> products.multiply(weights, x, codes, n, y);
        }
    }

    @Override
    public void attention(AttentionShape shape, Rows query, int n, CacheView cache, Rows y) {
        attentionWithin(shape, 0, null, query, n, cache, y);
    }

    @Override
    public void attentionWithin(
            AttentionShape shape, int window, @Nullable Matrix sinks, Rows query, int n, CacheView cache, Rows y) {
        Shapes.attention(shape, query, n, cache, y);
        CudaMatrix.OnDevice sinkRow = sinks == null ? null : floatRow("sinks", sinks);
        if (sinkRow != null) {
            Shapes.columns("sinks", sinkRow.columns(), shape.heads());
        }
        device.use();
        attention.run(shape, window, sinkRow, query, n, cache, y);
    }

    @Override
    public void gate(GateShape shape, Rows scores, @Nullable Matrix bias, int n, Buffer ids, Buffer weights) {
        Shapes.gate(shape);
        Shapes.rows("scores", scores, n, shape.experts());
        Shapes.atLeast("ids", ids, (long) n * shape.chosen() * Integer.BYTES);
        Shapes.atLeast("weights", weights, (long) n * shape.chosen() * Float.BYTES);
        CudaMatrix.OnDevice biasRow = bias == null ? null : floatRow("bias", bias);
        if (biasRow != null) {
            Shapes.columns("bias", biasRow.columns(), shape.experts());
        }
        if (n == 0) {
            return;
        }
        device.use();
        kernel("gate")
                .wide(address(scores))
                .integer(scores.stride())
                .wide(biasRow == null ? 0 : biasRow.address())
                .integer(biasRow == null ? 0 : CudaProducts.number(biasRow.type()))
                .integer(scoring(shape))
                .integer(shape.experts())
                .integer(shape.chosen())
                .integer(shape.groups())
                .integer(shape.groupsChosen())
                .integer(groupScore(shape))
                .integer(shape.normalise() ? 1 : 0)
                .number(shape.sumEpsilon())
                .number(shape.sumFloor())
                .number(shape.scalingFactor())
                .wide(CudaBuffer.address(ids))
                .wide(CudaBuffer.address(weights))
                .launch(n, 1, WARP, 1, (3 * shape.experts() + 2 * shape.groups() + shape.chosen()) * Float.BYTES);
    }

    private static int scoring(GateShape shape) {
        return switch (shape.scoring()) {
            case SOFTMAX -> 0;
            case SOFTMAX_OF_CHOSEN -> 1;
            case SIGMOID -> 2;
        };
    }

    private static int groupScore(GateShape shape) {
        return switch (shape.groupScore()) {
            case MAXIMUM -> 0;
            case BEST_TWO -> 1;
        };
    }

    @Override
    public void clear(Buffer buffer, long bytes) {
        Shapes.atLeast("buffer", buffer, bytes);
        device.use();
        stream.clear(CudaBuffer.address(buffer), bytes);
    }

    @Override
    public void close() {
        await();
        hostProducts.close();
        attention.close();
        synchronized (buffers) {
            buffers.forEach(buffer -> device.release(buffer.block()));
            buffers.clear();
        }
        matrices.forEach(Matrix::close);
        matrices.clear();
        stream.close();
        host.close();
        if (ownsDevice) {
            device.close();
        }
    }
}
