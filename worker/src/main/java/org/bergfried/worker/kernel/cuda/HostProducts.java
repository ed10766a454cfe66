package org.bergfried.worker.kernel.cuda;

import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.Rows;
import org.jspecify.annotations.Nullable;

/// Computes on the CPU what the device has no kernel for: waits for the operands, reads them, computes, and queues the
/// way of the result to the device.
final class HostProducts implements AutoCloseable {
    private final CpuBackend host;
    private final CudaStream stream;
    private @Nullable Buffer indices;
    private @Nullable Buffer q;
    private @Nullable Buffer scales;
    private @Nullable Buffer result;

    HostProducts(CpuBackend host, CudaStream stream) {
        this.host = host;
        this.stream = stream;
    }

    void multiply(CudaMatrix.OnHost w, Rows x, Codes codes, int n, Rows y) {
        Rows y0 = result(n, w.rows());
        if (w.type().integerCoded()) {
            long codeBytes = (long) n * w.columns();
            Buffer codesHere = room(q, codeBytes);
            q = codesHere;
            Buffer scalesHere = room(scales, codeBytes / 32 * Float.BYTES);
            scales = scalesHere;
            read(codes.q(), codesHere, codeBytes);
            read(codes.scales(), scalesHere, codeBytes / 32 * Float.BYTES);
            host.multiply(w.weights(), y0, new Codes(codesHere, scalesHere, w.columns()), n, y0);
        } else {
            host.multiply(w.weights(), rows(x, n, w.columns()), codes, n, y0);
        }
        write(y0, n, w.rows(), y);
    }

    /// A copy of rows on the host. What holds the codes of integer-coded products serves as well.
    private Rows rows(Rows x, int n, int columns) {
        long rowBytes = (long) columns * Float.BYTES;
        Buffer here = room(q, n * rowBytes);
        q = here;
        for (int i = 0; i < n; i++) {
            stream.read(CudaBackend.address(x.down(i)), HostBuffer.segment(here).asSlice(i * rowBytes, rowBytes));
        }
        return Rows.of(here, columns);
    }

    void embed(CudaMatrix.OnHost table, Buffer ids, int n, Rows y) {
        Buffer idsHere = room(indices, (long) n * Integer.BYTES);
        indices = idsHere;
        Rows y0 = result(n, table.columns());
        read(ids, idsHere, (long) n * Integer.BYTES);
        host.embed(table.weights(), idsHere, n, y0);
        write(y0, n, table.columns(), y);
    }

    private Rows result(int n, int columns) {
        Buffer here = room(result, (long) n * columns * Float.BYTES);
        result = here;
        return Rows.of(here, columns);
    }

    private void read(Buffer source, Buffer target, long bytes) {
        stream.read(CudaBuffer.address(source), HostBuffer.segment(target).asSlice(0, bytes));
    }

    private void write(Rows source, int n, int columns, Rows target) {
        long rowBytes = (long) columns * Float.BYTES;
        for (int i = 0; i < n; i++) {
            stream.write(
                    HostBuffer.segment(source.buffer()).asSlice(i * rowBytes, rowBytes),
                    CudaBackend.address(target.down(i)));
        }
    }

    /// The buffer, or a larger one in its place.
    private Buffer room(@Nullable Buffer buffer, long bytes) {
        if (buffer != null && buffer.byteSize() >= bytes) {
            return buffer;
        }
        if (buffer != null) {
            host.free(buffer);
        }
        return host.allocate(bytes);
    }

    @Override
    public void close() {
        for (Buffer buffer : new Buffer[] {indices, q, scales, result}) {
            if (buffer != null) {
                host.free(buffer);
            }
        }
        indices = null;
        q = null;
        scales = null;
        result = null;
    }
}
