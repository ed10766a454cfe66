package org.bergfried.worker.kernel.cuda;

import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.RopeShape;
import org.bergfried.worker.kernel.Shapes;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;

/// The operations of [CudaBackend] that take rows one by one: each is one kernel of `rows.cu`, a block for each row.
abstract sealed class RowOperations implements Backend permits CudaBackend {
    static final int WIDTH_MAX = 256; // threads of a block
    static final int WARP = 32;

    final CudaDevice device;
    final CudaStream stream;

    RowOperations(CudaDevice device, CudaStream stream) {
        this.device = device;
        this.stream = stream;
    }

    @Override
    public void rmsNorm(Rows x, int n, Matrix weight, float epsilon, Rows y) {
        CudaMatrix.OnDevice row = floatRow("norm", weight);
        Shapes.rows("x", x, n, row.columns());
        Shapes.rows("y", y, n, row.columns());
        Kernel kernel = kernel("rmsNorm")
                .wide(address(x))
                .integer(x.stride())
                .wide(row.address())
                .integer(CudaProducts.number(row.type()))
                .number(epsilon)
                .wide(address(y))
                .integer(y.stride())
                .integer(row.columns());
        rows(kernel, n, row.columns());
    }

    @Override
    public void add(Rows x, Rows y, int n, int columns) {
        Shapes.rows("x", x, n, columns);
        Shapes.rows("y", y, n, columns);
        Kernel kernel = kernel("add")
                .wide(address(x))
                .integer(x.stride())
                .wide(address(y))
                .integer(y.stride())
                .integer(columns);
        rows(kernel, n, columns);
    }

    @Override
    public void addBias(Rows x, int n, Matrix bias) {
        CudaMatrix.OnDevice row = floatRow("bias", bias);
        Shapes.rows("x", x, n, row.columns());
        Kernel kernel = kernel("addBias")
                .wide(address(x))
                .integer(x.stride())
                .wide(row.address())
                .integer(CudaProducts.number(row.type()))
                .integer(row.columns());
        rows(kernel, n, row.columns());
    }

    @Override
    public void swiglu(Rows gate, Rows up, int n, int columns, Rows y) {
        rows(activation("swiglu", gate, up, n, columns, y), n, columns);
    }

    @Override
    public void clampedSwiglu(Rows gate, Rows up, int n, int columns, float alpha, float limit, Rows y) {
        Kernel kernel = activation("clampedSwiglu", gate, up, n, columns, y);
        rows(kernel.number(alpha).number(limit), n, columns);
    }

    private Kernel activation(String name, Rows gate, Rows up, int n, int columns, Rows y) {
        Shapes.rows("gate", gate, n, columns);
        Shapes.rows("up", up, n, columns);
        Shapes.rows("y", y, n, columns);
        return kernel(name)
                .wide(address(gate))
                .integer(gate.stride())
                .wide(address(up))
                .integer(up.stride())
                .wide(address(y))
                .integer(y.stride())
                .integer(columns);
    }

    @Override
    public void scale(Rows x, int n, int columns, float factor) {
        Shapes.rows("x", x, n, columns);
        Kernel kernel = kernel("scale")
                .wide(address(x))
                .integer(x.stride())
                .integer(columns)
                .number(factor);
        rows(kernel, n, columns);
    }

    @Override
    public void scaleBySigmoid(Rows x, int n, int columns, Rows logits) {
        Shapes.rows("x", x, n, columns);
        Shapes.rows("logits", logits, n, 1);
        Kernel kernel = kernel("scaleBySigmoid")
                .wide(address(x))
                .integer(x.stride())
                .integer(columns)
                .wide(address(logits))
                .integer(logits.stride());
        rows(kernel, n, columns);
    }

    @Override
    public void rope(Rows x, int n, RopeShape shape, Buffer positions, Buffer table) {
        Shapes.rope(shape);
        Shapes.rows("x", x, n, (shape.heads() - 1) * shape.headStride() + shape.rotaryColumns());
        Shapes.atLeast("positions", positions, (long) n * Integer.BYTES);
        int half = shape.rotaryColumns() / 2;
        Kernel kernel = kernel("rope")
                .wide(address(x))
                .integer(x.stride())
                .integer(shape.heads())
                .integer(shape.headStride())
                .integer(half)
                .integer(shape.interleaved() ? 1 : 0)
                .wide(CudaBuffer.address(positions))
                .wide(CudaBuffer.address(table));
        rows(kernel, n, shape.heads() * half);
    }

    @Override
    public void store(Rows x, int n, int columns, Buffer cache, long cacheOffset, int rowStride, Buffer slots) {
        Shapes.rows("x", x, n, columns);
        Shapes.atLeast("slots", slots, (long) n * Long.BYTES);
        Kernel kernel = kernel("store")
                .wide(address(x))
                .integer(x.stride())
                .integer(columns)
                .wide(CudaBuffer.address(cache, cacheOffset * Float.BYTES))
                .integer(rowStride)
                .wide(CudaBuffer.address(slots));
        rows(kernel, n, columns);
    }

    @Override
    public void gather(Rows x, Buffer index, int n, int columns, Rows y) {
        Shapes.atLeast("index", index, (long) n * Integer.BYTES);
        Shapes.rows("y", y, n, columns);
        Kernel kernel = kernel("gather")
                .wide(address(x))
                .integer(x.stride())
                .wide(CudaBuffer.address(index))
                .integer(columns)
                .wide(address(y))
                .integer(y.stride());
        rows(kernel, n, columns);
    }

    @Override
    public void gatherCodes(Codes x, Buffer index, int n, Codes y) {
        Shapes.columns("gathered codes", y.columns(), x.columns());
        Shapes.codes(y, n);
        Shapes.atLeast("index", index, (long) n * Integer.BYTES);
        Kernel kernel = kernel("gatherCodes")
                .wide(CudaBuffer.address(x.q()))
                .wide(CudaBuffer.address(x.scales()))
                .wide(CudaBuffer.address(index))
                .integer(x.columns() / WARP)
                .wide(CudaBuffer.address(y.q()))
                .wide(CudaBuffer.address(y.scales()));
        rows(kernel, n, x.columns() / Integer.BYTES);
    }

    @Override
    public void accumulate(Rows y, Buffer weights, Buffer index, int n, int columns, Buffer sums, Buffer poisoned) {
        Shapes.rows("y", y, n, columns);
        Shapes.atLeast("weights", weights, (long) n * Float.BYTES);
        Shapes.atLeast("index", index, (long) n * Integer.BYTES);
        Kernel kernel = kernel("accumulate")
                .wide(address(y))
                .integer(y.stride())
                .wide(CudaBuffer.address(weights))
                .wide(CudaBuffer.address(index))
                .integer(columns)
                .wide(CudaBuffer.address(sums))
                .wide(CudaBuffer.address(poisoned));
        rows(kernel, n, columns);
    }

    @Override
    public void combine(Buffer sums, int n, int columns, Rows y) {
        Shapes.rows("y", y, n, columns);
        Shapes.atLeast("sums", sums, (long) n * columns * Long.BYTES);
        Kernel kernel = kernel("combine")
                .wide(CudaBuffer.address(sums))
                .integer(columns)
                .wide(address(y))
                .integer(y.stride());
        rows(kernel, n, columns);
    }

    /// A kernel on this stream, ready for its arguments.
    final Kernel kernel(String name) {
        return stream.kernel(name);
    }

    /// Starts a kernel with one block a row, as wide as the row's work.
    final void rows(Kernel kernel, int n, int width) {
        if (n == 0 || width == 0) {
            kernel.forget();
            return;
        }
        device.use();
        kernel.launch(n, 1, Math.min(WIDTH_MAX, Math.ceilDiv(width, WARP) * WARP), 1, 0);
    }

    static CudaMatrix.OnDevice floatRow(String what, Matrix matrix) {
        Shapes.floatRow(what, matrix);
        return (CudaMatrix.OnDevice) matrix; // every float type is
    }

    static long address(Rows rows) {
        return CudaBuffer.address(rows.buffer(), rows.offset() * Float.BYTES);
    }
}
