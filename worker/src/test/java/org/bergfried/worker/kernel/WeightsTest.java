package org.bergfried.worker.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.kernel.check.Host;
import org.bergfried.worker.kernel.check.SplitMix;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.tensor.Codes;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Rows;
import org.bergfried.worker.tensor.StoredTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Loading, and what a backend refuses.
final class WeightsTest {
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MXFP4") // every exponent of it is finite
    void refusesAnInfiniteOrNanWeightAndNamesTheTensorAndThePlace(ElementType type) {
        int columns = 512;
        int rows = 70;
        boolean inOneByte = type == ElementType.F8_E4M3 || type == ElementType.F4_E2M1;
        int exponentAt = inOneByte ? 0 : type == ElementType.F32 ? 3 : lastScale(type) + 1;
        int step = type.blockBytes();
        for (int block :
                new int[] {0, 1, (int) (69 * type.rowBytes(columns) / step), rowsOf(type, rows, columns) - 1}) {
            var bytes = new byte[(int) (rows * type.rowBytes(columns))];
            int at = block * step + exponentAt;
            bytes[at] = type == ElementType.F4_E2M1 ? (byte) 0xfd : 0x7f;
            if (!inOneByte) {
                bytes[at - 1] = (byte) 0x80;
            }
            try (Backend backend = Backends.create("scalar", 2)) {
                var thrown = assertThrows(
                        ClusterException.class, () -> backend.load(Host.tensor(type, rows, columns, bytes)));
                assertEquals(ErrorReason.WEIGHTS_CORRUPT, thrown.reason());
                assertEquals("w", thrown.metadata().get("tensor"));
                int perRow = (int) (type.rowBytes(columns) / step);
                assertEquals(Integer.toString(block / perRow), thrown.metadata().get("row"));
                assertEquals(
                        Integer.toString(block % perRow * type.blockColumns()),
                        thrown.metadata().get("column"));
            }
        }
    }

    private static int lastScale(ElementType type) {
        return Arrays.stream(Host.scaleOffsets(type)).max().orElseThrow();
    }

    private static int rowsOf(ElementType type, int rows, int columns) {
        return (int) (rows * type.rowBytes(columns) / type.blockBytes());
    }

    @Test
    void codedWeightsAreResidentWithFullTilesAndFloatsStayMapped() {
        try (Backend backend = Backends.create("vector", 1)) {
            var random = new SplitMix(1);
            assertEquals(
                    2 * 576,
                    backend.load(Host.coded(random, ElementType.Q4_0, 33, 32)).residentBytes());
            assertEquals(
                    1088,
                    backend.load(Host.coded(random, ElementType.Q8_0, 1, 32)).residentBytes());
            assertEquals(
                    6720,
                    backend.load(Host.coded(random, ElementType.Q6_K, 32, 256)).residentBytes());
            assertEquals(0, backend.load(Host.tensor(1, 3, 1, 2, 3)).residentBytes());
        }
    }

    @ParameterizedTest
    @EnumSource(ElementType.class)
    void whatWeightsTakeIsKnownBefore(ElementType type) {
        try (Backend backend = Backends.create("scalar", 1)) {
            int columns = 2 * Math.max(32, type.blockColumns());
            StoredTensor tensor = type.integerCoded()
                    ? Host.coded(new SplitMix(2), type, 37, columns)
                    : new StoredTensor(
                            "w",
                            type,
                            List.of(37, columns),
                            Arena.ofAuto().allocate(37 * type.rowBytes(columns)),
                            type == ElementType.F8_E4M3 ? Arena.ofAuto().allocate(4) : null);
            long resident = backend.load(tensor).residentBytes();
            assertEquals(resident, backend.weightSize().residentBytes(tensor));
            assertEquals(type.integerCoded(), resident > 0);
            long weights = backend.weightSize().weightBytes(tensor);
            assertEquals(resident > 0 ? resident : tensor.bytes().byteSize(), weights);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"F32", "F16", "BF16"})
    void refusesMappedWeightsWhoseFileIsClosed(ElementType type) {
        int columns = 32;
        var file = Arena.ofShared();
        MemorySegment bytes = file.allocate(type.rowBytes(columns));
        try (Backend backend = Backends.create("vector", 1)) {
            Matrix w = backend.load(new StoredTensor("w", type, List.of(1, columns), bytes));
            Rows x = Host.rows(backend, columns, new float[2 * columns]);
            Rows y = Host.rows(backend, 1, 0, 0);
            Codes codes = backend.allocateCodes(1, columns);
            backend.multiply(w, x, codes, 1, y);
            file.close();
            assertThrows(IllegalStateException.class, () -> backend.multiply(w, x, codes, 1, y));
            assertThrows(IllegalStateException.class, () -> backend.multiply(w, x, codes, 2, y));
            assertThrows(IllegalStateException.class, () -> backend.rmsNorm(x, 1, w, 1e-6f, x));
            assertThrows(IllegalStateException.class, () -> backend.addBias(x, 1, w));
            assertThrows(IllegalStateException.class, () -> backend.embed(w, Host.ints(backend, 0), 1, x));
        }
    }

    @Test
    void refusesShapesThatDoNotFit() {
        try (Backend backend = Backends.create("vector", 1)) {
            Matrix w = backend.load(Host.tensor(2, 4, 1, 2, 3, 4, 5, 6, 7, 8));
            Rows x = Host.rows(backend, 4, 1, 2, 3, 4);
            Rows y = Host.rows(backend, 2, 0, 0);
            Codes codes = backend.allocateCodes(1, 32);
            backend.multiply(w, x, codes, 1, y);
            assertThrows(IllegalArgumentException.class, () -> backend.multiply(w, x, codes, 2, y));
            assertThrows(IllegalArgumentException.class, () -> backend.multiply(w, x.right(1), codes, 1, y));
            assertThrows(IllegalArgumentException.class, () -> backend.quantise(x, 1, codes));
            assertThrows(IllegalArgumentException.class, () -> backend.embed(w, Host.ints(backend, 2), 1, x));
            assertThrows(IllegalArgumentException.class, () -> backend.rmsNorm(x, 1, w, 1e-6f, x));
        }
    }

    @Test
    void namesOfBackendsThatAreNotBuiltOrUnknownAreRefused() {
        assertEquals(
                ErrorReason.NOT_IMPLEMENTED,
                assertThrows(ClusterException.class, () -> Backends.create("cuda", 1))
                        .reason());
        var unknown = assertThrows(ClusterException.class, () -> Backends.create("fast", 1));
        assertEquals(ErrorReason.INVALID_REQUEST, unknown.reason());
        assertTrue(unknown.text().contains("fast"));
    }

    @Test
    void trunkAndExpertBackendsShareMatrices() {
        try (var backends = Backends.open(BackendChoice.of("auto", 2));
                Backend trunk = backends.trunk();
                Backend expert = backends.expert()) {
            Matrix w = trunk.load(Host.tensor(1, 2, 3, 4));
            Rows y = Host.rows(expert, 1, 0f);
            expert.multiply(w, Host.rows(expert, 2, 5, 6), expert.allocateCodes(1, 32), 1, y);
            assertEquals(39f, Host.floats(expert, y.buffer())[0]);
            assertTrue(backends.description().contains(trunk.name()), backends.description());
        }
    }
}
