package org.bergfried.worker.kernel;

import static org.bergfried.worker.kernel.cpu.HostBuffer.F32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I32;
import static org.bergfried.worker.kernel.cpu.HostBuffer.I8;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.cpu.HostBuffer;
import org.bergfried.worker.kernel.cpu.HostMatrix;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.cpu.TileLayout;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;

/// A kernel that is wrong in one small way, as careless fast code would be.
///
/// @param what      the fault.
/// @param operation the operation of [Conformance] that must notice it, and the only one that may.
/// @param method    the method of [Kernels] that is replaced.
/// @param wrong     what replaces it; true if it has done the work.
record PlantedFault(String what, String operation, String method, Replacement wrong) {
    interface Replacement {
        boolean run(Object[] arguments);
    }

    static Stream<PlantedFault> all() {
        return Stream.of(
                new PlantedFault("products rounded twice in RoPE", "rope", "rope", PlantedFault::ropeWithoutFma),
                new PlantedFault(
                        "segments of 512 columns", "multiply Q8_0", "multiply", args -> longProduct(args, 512, false)),
                new PlantedFault(
                        "scales in two steps", "multiply Q8_0", "multiply", args -> longProduct(args, 256, true)),
                new PlantedFault("subnormals flushed to zero", "add", "add", PlantedFault::addFlushed));
    }

    Kernels kernels() {
        var right = new ScalarKernels();
        return (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (proxy, called, arguments) -> {
                    if (called.getName().equals(method) && wrong.run(arguments)) {
                        return null;
                    }
                    try {
                        return called.invoke(right, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public String toString() {
        return what;
    }

    private static boolean ropeWithoutFma(Object[] arguments) {
        var x = (Rows) arguments[0];
        var shape = (RopeShape) arguments[1];
        var positions = (MemorySegment) arguments[2];
        var table = (MemorySegment) arguments[3];
        MemorySegment rows = HostBuffer.segment(x.buffer());
        int half = shape.rotaryColumns() / 2;
        for (int i = (int) arguments[4]; i < (int) arguments[5]; i++) {
            for (int h = 0; h < shape.heads(); h++) {
                for (int pair = 0; pair < half; pair++) {
                    long turn = 8L * (positions.get(I32, 4L * i) * half + pair);
                    float c = table.get(F32, turn);
                    float s = table.get(F32, turn + 4);
                    long at0 = 4 * (x.offset() + (long) i * x.stride() + (long) h * shape.headStride())
                            + 4L * (shape.interleaved() ? 2 * pair : pair);
                    long at1 = at0 + 4L * (shape.interleaved() ? 1 : half);
                    float x0 = rows.get(F32, at0);
                    float x1 = rows.get(F32, at1);
                    rows.set(F32, at0, x0 * c - x1 * s);
                    rows.set(F32, at1, x1 * c + x0 * s);
                }
            }
        }
        return true;
    }

    /// Rule C for Q8_0 with segments of another length, or with dw and dx multiplied one after the other.
    private static boolean longProduct(Object[] arguments, int segment, boolean twoSteps) {
        var w = (HostMatrix) arguments[0];
        if (w.type() != ElementType.Q8_0) {
            return false;
        }
        var codes = (Codes) arguments[2];
        var y = (Rows) arguments[4];
        long tileBytes = TileLayout.tileBytes(w.type(), w.columns());
        var n = new int[32];
        for (int i = 0; i < (int) arguments[3]; i++) {
            for (int row = (int) arguments[5]; row < (int) arguments[6]; row++) {
                long tile = row / 32 * tileBytes;
                float out = 0;
                float acc = 0;
                for (int b = 0; b < w.columns() / 32; b++) {
                    TileLayout.codes(w.type(), w.weights(), tile, row % 32, b, n);
                    int sum = 0;
                    for (int c = 0; c < 32; c++) {
                        sum += n[c] * HostBuffer.segment(codes.q()).get(I8, (long) i * w.columns() + 32L * b + c);
                    }
                    float dw = TileLayout.scale(w.type(), w.weights(), tile, row % 32, 2 * b);
                    float dx = HostBuffer.segment(codes.scales()).get(F32, 4L * ((long) i * (w.columns() / 32) + b));
                    acc = twoSteps ? Math.fma(sum * dw, dx, acc) : Math.fma((float) sum, dw * dx, acc);
                    if ((b + 1) * 32 % segment == 0 || b + 1 == w.columns() / 32) {
                        out = b * 32 < segment ? acc : out + acc;
                        acc = 0;
                    }
                }
                HostBuffer.segment(y.buffer()).set(F32, 4 * (y.offset() + (long) i * y.stride() + row), out);
            }
        }
        return true;
    }

    private static boolean addFlushed(Object[] arguments) {
        var x = (Rows) arguments[0];
        var y = (Rows) arguments[1];
        for (int i = (int) arguments[3]; i < (int) arguments[4]; i++) {
            for (int k = 0; k < (int) arguments[2]; k++) {
                long at = 4 * (x.offset() + (long) i * x.stride() + k);
                float term = HostBuffer.segment(y.buffer()).get(F32, 4 * (y.offset() + (long) i * y.stride() + k));
                float sum = HostBuffer.segment(x.buffer()).get(F32, at) + term;
                HostBuffer.segment(x.buffer()).set(F32, at, Math.abs(sum) < Float.MIN_NORMAL ? 0 : sum);
            }
        }
        return true;
    }
}
