package org.bergfried.worker.kernel.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.bergfried.worker.kernel.cuda.KernelSignature.Kind;

/// Starts one kernel on one stream. The arguments are given one after the other and checked against what the PTX
/// declares: a mismatch fails here and not on the device. Its memory for arguments is used again by every launch (the
/// driver copies them), so one thread uses it at a time.
final class Kernel {
    private static final int GRID_Y_MAX = 65_535;

    private final CudaDevice.Entry entry;
    private final CUstream stream;
    private final MemorySegment values; // 8 bytes for each argument
    private final Pointer arguments; // addresses of the values
    private int given;

    /// @param arena keeps the memory for arguments.
    Kernel(CudaDevice.Entry entry, CUstream stream, Arena arena) {
        this.entry = entry;
        this.stream = stream;
        int count = entry.signature().kinds().size();
        values = arena.allocate(8L * count, 8);
        MemorySegment addresses = arena.allocate(8L * count, 8);
        for (int i = 0; i < count; i++) {
            addresses.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
        }
        arguments = DevicePointer.host(addresses);
    }

    /// An address or an integer of 64 bits.
    Kernel wide(long value) {
        values.setAtIndex(ValueLayout.JAVA_LONG, next(Kind.WIDE), value);
        return this;
    }

    /// An integer of 32 bits.
    Kernel integer(int value) {
        values.set(ValueLayout.JAVA_INT, 8L * next(Kind.INTEGER), value);
        return this;
    }

    /// A binary32.
    Kernel number(float value) {
        values.set(ValueLayout.JAVA_FLOAT, 8L * next(Kind.FLOAT), value);
        return this;
    }

    private int next(Kind kind) {
        if (given == entry.signature().kinds().size()
                || entry.signature().kinds().get(given) != kind) {
            throw new IllegalArgumentException(
                    "argument " + given + " of kernel " + entry.signature() + " is given as " + kind);
        }
        return given++;
    }

    /// Takes the arguments back, where there is nothing to do.
    void forget() {
        given = 0;
    }

    /// Queues it.
    ///
    /// @param columns blocks along x; likewise rows along y.
    /// @param width   threads of a block along x; likewise height along y.
    /// @param shared  bytes of dynamic shared memory.
    void launch(int columns, int rows, int width, int height, int shared) {
        if (given != entry.signature().kinds().size()) {
            throw new IllegalArgumentException("kernel " + entry.signature() + " is given " + given + " arguments");
        }
        given = 0;
        if (rows > GRID_Y_MAX) {
            throw new IllegalArgumentException("kernel " + entry.name() + " with " + rows + " rows of blocks");
        }
        int result = JCudaDriver.cuLaunchKernel(
                entry.function(), columns, rows, 1, width, height, 1, shared, stream, arguments, null);
        Cuda.check(result, "starting kernel " + entry.name());
    }
}
