package org.bergfried.worker.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.kernel.check.Conformance;
import org.bergfried.worker.kernel.check.RaggedProducts;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.tensor.ElementType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The CUDA backend against the scalar one, bit for bit, on the emulated device: with all its checks, every buffer an
/// allocation of its own, and blocks, warps and lanes in shuffled orders.
final class CudaConformanceTest {
    private static final int SEEDS = 5;

    @BeforeEach
    void checkEverything() {
        CudaEmulator.require();
        CudaEmulator.checkEverything();
    }

    static Stream<Long> orders() {
        long fresh = new SplittableRandom().nextLong() >>> 1;
        return Stream.of(1L, 20260719L, fresh); // the last one is in the test's name
    }

    @ParameterizedTest(name = "in the order of seed {0}")
    @MethodSource("orders")
    void equalsTheScalarBackendBitForBit(long order) {
        CudaEmulator.shuffle(order);
        assertEquals(List.of(), differences((oracle, cuda) -> Conformance.differences(oracle, cuda, SEEDS)));
    }

    @Test
    void equalsTheScalarBackendAtRaggedSizes() {
        var types = List.of(ElementType.F32, ElementType.F16, ElementType.BF16, ElementType.Q8_0, ElementType.Q4_0);
        assertEquals(List.of(), differences((oracle, cuda) -> RaggedProducts.differences(oracle, cuda, types)));
    }

    private interface Comparison {
        List<String> differences(Backend oracle, Backend candidate);
    }

    private static List<String> differences(Comparison comparison) {
        try (CudaDevice device = CudaDevice.openUnpooled(CudaEmulator.settings());
                Backend oracle = CpuBackend.alone(new ScalarKernels(), 1);
                Backend cuda = new CudaBackend(device, CpuBackend.alone(new ScalarKernels(), 1))) {
            return new ArrayList<>(comparison.differences(oracle, cuda));
        }
    }
}
