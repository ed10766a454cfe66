package org.bergfried.worker.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.OptionalLong;

/// The emulated driver, whose library the system property `bergfried.cudaEmulator` names: `ops/bergfried test` builds
/// it. Tests that need it are skipped where the property is missing.
public final class CudaEmulator {
    private static final String LIBRARY = System.getProperty("bergfried.cudaEmulator", "");
    private static final long MEMORY = 256L << 20;

    private CudaEmulator() {}

    /// Skips the test where there is no emulator. What was set before is forgotten.
    public static void require() {
        assumeTrue(!LIBRARY.isEmpty(), "no CUDA emulator: set bergfried.cudaEmulator, as ops/bergfried test does");
        set("CHECK", "");
        set("CHAOS", "");
        set("BUDGET", "4294967296");
    }

    /// The emulated device.
    public static CudaSettings settings() {
        return new CudaSettings(0, OptionalLong.of(MEMORY), LIBRARY, true);
    }

    /// Every check that it has.
    public static void checkEverything() {
        set("CHECK", "race,init,strict");
    }

    /// Blocks, warps and lanes come in an order of this seed.
    public static void shuffle(long seed) {
        set("CHAOS", Long.toUnsignedString(seed));
    }

    /// A setting of the emulator; see its README.
    @SuppressWarnings("restricted") // the library is the one under test
    public static void set(String name, String value) {
        MemorySegment function =
                SymbolLookup.libraryLookup(LIBRARY, Arena.global()).findOrThrow("cudaEmulatorSet");
        MethodHandle call = Linker.nativeLinker()
                .downcallHandle(
                        function,
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) call.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value));
            assertEquals(0, result, name);
        } catch (Throwable e) { // what a method handle declares
            throw new AssertionError("cudaEmulatorSet(" + name + ")", e);
        }
    }
}
