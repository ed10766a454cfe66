package org.bergfried.worker.tool;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.bergfried.contract.Clock;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.Matrix;
import org.bergfried.worker.kernel.check.Conformance;
import org.bergfried.worker.kernel.check.RaggedProducts;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cuda.CudaBackend;
import org.bergfried.worker.kernel.cuda.CudaDevice;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.kernel.foreign.LibrarySettings;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.tensor.Buffer;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Compares every operation of a backend with the scalar one, and measures how many bytes a second it moves.
public final class DeviceCheck implements AutoCloseable {
    private static final List<ElementType> MEASURED = List.of(ElementType.BF16, ElementType.Q8_0, ElementType.Q4_0);
    private static final int COLUMNS = 2048;
    private static final int REPETITIONS = 5;

    private final @Nullable CudaDevice device;
    private final Backend oracle;
    private final Backend candidate;
    private final Clock clock;

    /// What was found about one operation.
    ///
    /// @param differences one line for each case whose bits are not those of the scalar backend.
    public record Comparison(String operation, List<String> differences) {}

    /// How fast something is.
    ///
    /// @param what           that was done.
    /// @param bytesPerSecond read and written by a copy, read as weights by a product: its best time
    public record Speed(String what, double bytesPerSecond) {}

    private DeviceCheck(@Nullable CudaDevice device, Backend candidate, Clock clock) {
        this.device = device;
        this.candidate = candidate;
        this.clock = clock;
        oracle = CpuBackend.alone(new ScalarKernels(), 1);
    }

    /// Opens a backend to be checked.
    ///
    /// @param backend  its name.
    /// @param settings for CUDA.
    /// @throws org.bergfried.contract.ClusterException with what to do if it cannot be used.
    public static DeviceCheck of(String backend, CudaSettings settings, Clock clock) {
        NativeLibrary.open(LibrarySettings.found());
        if (!backend.equals("cuda")) {
            return new DeviceCheck(null, Backends.create(backend, 0), clock);
        }
        CudaDevice device = CudaDevice.open(settings);
        return new DeviceCheck(device, new CudaBackend(device, CpuBackend.alone(new ScalarKernels(), 1)), clock);
    }

    /// What is checked, for people.
    public String description() {
        return device == null
                ? candidate.name()
                : device.description().text() + ", driver for CUDA " + device.driverVersion();
    }

    /// Compares all operations.
    ///
    /// @param seeds    sets of shapes and data for each.
    /// @param finished gets each operation when it was compared.
    public void compare(int seeds, Consumer<Comparison> finished) {
        for (String operation : Conformance.operations()) {
            finished.accept(new Comparison(operation, Conformance.differences(operation, oracle, candidate, seeds)));
        }
        finished.accept(
                new Comparison("products at ragged sizes", RaggedProducts.differences(oracle, candidate, MEASURED)));
    }

    /// Measures a copy of rows, and products of one row with matrices.
    ///
    /// @param bytes of what is copied or multiplied: much more than the caches hold.
    /// @param finished gets each figure.
    public void measure(long bytes, Consumer<Speed> finished) {
        finished.accept(copy((int) Math.min(1 << 20, bytes / COLUMNS / Float.BYTES)));
        for (ElementType type : MEASURED) {
            finished.accept(product(type, (int) Math.min(1 << 20, bytes / type.rowBytes(COLUMNS))));
        }
    }

    private Speed copy(int rows) {
        long bytes = (long) rows * COLUMNS * Float.BYTES;
        Buffer source = candidate.allocate(bytes);
        Buffer target = candidate.allocate(bytes);
        Buffer index = candidate.allocate((long) rows * Integer.BYTES);
        var order = new int[rows];
        for (int i = 0; i < rows; i++) {
            order[i] = i;
        }
        candidate.write(MemorySegment.ofArray(order), index, 0);
        long nanos =
                best(() -> candidate.gather(Rows.of(source, COLUMNS), index, rows, COLUMNS, Rows.of(target, COLUMNS)));
        candidate.free(source);
        candidate.free(target);
        candidate.free(index);
        return new Speed("copying rows (read and write)", 2.0 * bytes / nanos * 1e9);
    }

    private Speed product(ElementType type, int rows) {
        var content = new byte[Math.toIntExact(rows * type.rowBytes(COLUMNS))];
        new SplittableRandom(1).nextBytes(content);
        for (int at = 1; at < content.length; at += type.blockBytes()) {
            content[at] &= 0x3f; // of each scale: finite
        }
        var tensor = new StoredTensor("w", type, List.of(rows, COLUMNS), MemorySegment.ofArray(content));
        Buffer x = candidate.allocate((long) COLUMNS * Float.BYTES);
        Buffer y = candidate.allocate((long) rows * Float.BYTES);
        Codes codes = candidate.allocateCodes(1, COLUMNS);
        try (Matrix w = candidate.load(tensor)) {
            candidate.quantise(Rows.of(x, COLUMNS), 1, codes);
            long nanos = best(() -> candidate.multiply(w, Rows.of(x, COLUMNS), codes, 1, Rows.of(y, rows)));
            return new Speed("products of one row with " + type, (double) content.length / nanos * 1e9);
        } finally {
            candidate.free(x);
            candidate.free(y);
            candidate.free(codes.q());
            candidate.free(codes.scales());
        }
    }

    private long best(Runnable operation) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < REPETITIONS; i++) {
            candidate.await();
            long start = clock.nanoTime();
            operation.run();
            candidate.await();
            best = Math.min(best, Math.max(1, clock.nanoTime() - start));
        }
        return best;
    }

    @Override
    public void close() {
        candidate.close();
        oracle.close();
        if (device != null) {
            device.close();
        }
    }
}
