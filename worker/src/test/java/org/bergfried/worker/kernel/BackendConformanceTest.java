package org.bergfried.worker.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bergfried.worker.kernel.check.Conformance;
import org.bergfried.worker.kernel.check.RaggedProducts;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.kernel.cpu.Kernels;
import org.bergfried.worker.kernel.foreign.NativeKernels;
import org.bergfried.worker.kernel.foreign.NativeLibrary;
import org.bergfried.worker.kernel.scalar.ScalarKernels;
import org.bergfried.worker.kernel.vector.VectorKernels;
import org.bergfried.worker.tensor.ElementType;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every backend against the scalar one, bit for bit; and proof that the comparison bites.
final class BackendConformanceTest {
    private static final int SEEDS = 25;

    static Stream<Arguments> candidates() {
        Supplier<Kernels> scalar = ScalarKernels::new;
        Supplier<Kernels> vector = VectorKernels::new;
        Stream<Arguments> portable = Stream.of(
                Arguments.of(Named.of("scalar", scalar), 3),
                Arguments.of(Named.of("vector", vector), 1),
                Arguments.of(Named.of("vector", vector), 3));
        Stream<Arguments> foreign = NativeLibrary.variants().stream().flatMap(variant -> {
            Supplier<Kernels> kernels = () -> new NativeKernels(new ScalarKernels(), variant);
            Named<Supplier<Kernels>> named = Named.of("native for " + variant.title(), kernels);
            return Stream.of(Arguments.of(named, 1), Arguments.of(named, 3));
        });
        return Stream.concat(portable, foreign);
    }

    @ParameterizedTest(name = "{0} on {1} threads")
    @MethodSource("candidates")
    void equalsTheScalarBackendBitForBit(Supplier<Kernels> kernels, int threads) {
        try (Backend oracle = CpuBackend.alone(new ScalarKernels(), 1);
                Backend candidate = CpuBackend.alone(kernels.get(), threads)) {
            assertEquals(List.of(), Conformance.differences(oracle, candidate, SEEDS));
        }
    }

    @ParameterizedTest(name = "{0} on {1} threads")
    @MethodSource("candidates")
    void equalsTheScalarBackendAtRaggedSizes(Supplier<Kernels> kernels, int threads) {
        try (Backend oracle = CpuBackend.alone(new ScalarKernels(), 1);
                Backend candidate = CpuBackend.alone(kernels.get(), threads)) {
            assertEquals(List.of(), RaggedProducts.differences(oracle, candidate, List.of(ElementType.values())));
        }
    }

    static Stream<Arguments> plantedFaults() {
        return PlantedFault.all().map(fault -> Arguments.of(Named.of(fault.toString(), fault)));
    }

    @ParameterizedTest
    @MethodSource("plantedFaults")
    void catchesAPlantedFault(PlantedFault fault) {
        try (Backend oracle = CpuBackend.alone(new ScalarKernels(), 1);
                Backend wrong = CpuBackend.alone(fault.kernels(), 1)) {
            List<String> differences = Conformance.differences(oracle, wrong, 10);
            assertFalse(differences.isEmpty(), "the suite does not notice: " + fault);
            assertEquals(
                    List.of(),
                    differences.stream()
                            .filter(each -> !each.startsWith(fault.operation()))
                            .toList());
        }
    }
}
