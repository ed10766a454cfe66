package org.bergfried.worker.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Kernels with one fault each (`src/test/cuda/planted.cu`): the emulator's checks find every one, and nothing in the
/// kernel that has none.
final class PlantedKernelTest {
    private static final int THREADS = 64;

    private final CUdevice device = new CUdevice();
    private final CUmodule module = new CUmodule();
    private CUdeviceptr x = new CUdeviceptr();
    private CUdeviceptr y = new CUdeviceptr();

    @BeforeEach
    void openDevice() throws IOException {
        CudaEmulator.require();
        CudaDriver.open(CudaEmulator.settings().library());
        CudaEmulator.checkEverything();
        CudaEmulator.set("BUDGET", "1000000");
        check(JCudaDriver.cuDeviceGet(device, 0));
        var context = new CUcontext();
        check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
        check(JCudaDriver.cuCtxSetCurrent(context));
        try (InputStream in = PlantedKernelTest.class.getResourceAsStream("planted.ptx")) {
            byte[] ptx = in == null ? new byte[0] : in.readAllBytes();
            check(JCudaDriver.cuModuleLoadData(module, Arrays.copyOf(ptx, ptx.length + 1)));
        }
        x = allocate();
        y = allocate();
        check(JCudaDriver.cuMemcpyHtoD(x, Pointer.to(numbers(0)), 4L * THREADS));
    }

    /// Resets the context too, so that the fault is forgotten.
    @AfterEach
    void closeDevice() {
        JCudaDriver.cuDevicePrimaryCtxReset(device);
        JCudaDriver.cuMemFree(x);
        JCudaDriver.cuMemFree(y);
        JCudaDriver.cuModuleUnload(module);
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }

    @Test
    void findsNothingInARightKernel() {
        assertEquals("", run("neighbour", 1, 0));
        var result = new float[THREADS];
        check(JCudaDriver.cuMemcpyDtoH(Pointer.to(result), y, 4L * THREADS));
        assertArrayEquals(numbers(1), result);
    }

    @ParameterizedTest
    @CsvSource({
        "missingBarrier, 1, 0, 719, race (read after write) on shared byte",
        "missingWarpBarrier, 1, 0, 719, race (read after write) on shared byte",
        "globalRace, 2, 0, 719, on global byte",
        "beyondEnd, 1, 0, 700, 0 bytes past the end of the 256-byte allocation",
        "beyondShared, 1, 128, 700, out-of-bounds shared access at byte 128 of 128",
        "unwrittenShared, 1, 0, 719, read of uninitialised shared byte",
        "misaligned, 1, 0, 716, misaligned access of 16 bytes",
        "missingLanes, 1, 0, 719, deadlock",
        "barrierAfterExit, 1, 0, 719, other threads of the block have exited",
        "endless, 1, 0, 702, the budget of 1000000 warp instructions is spent"
    })
    void findsTheFault(String kernel, int blocks, int shared, int error, String words) {
        check(JCudaDriver.cuMemsetD32(y, 0, THREADS));
        String fault = run(kernel, blocks, shared);
        assertTrue(fault.contains("(" + error + ")") && fault.contains(words) && fault.contains(kernel), fault);
    }

    @Test
    void findsAReadOfWhatWasNeverWritten() {
        JCudaDriver.cuMemFree(x);
        x = allocate();
        String fault = run("copy", 1, 0);
        assertTrue(fault.contains("(719)") && fault.contains("read of uninitialised global memory"), fault);
    }

    @Test
    void findsAUseAfterFree() {
        assertEquals("", run("copy", 1, 0));
        check(JCudaDriver.cuMemFree(x));
        String fault = run("copy", 1, 0);
        x = new CUdeviceptr();
        assertTrue(fault.contains("(700)") && fault.contains("inside a freed allocation of 256 bytes"), fault);
    }

    @Test
    void namesTheLineOfTheSource() {
        String fault = run("beyondEnd", 1, 0);
        assertTrue(fault.contains("planted.cu:") && fault.contains("thread 63"), fault);
    }

    /// What the driver says of a launch, or nothing.
    private String run(String kernel, int blocks, int shared) {
        var function = new CUfunction();
        check(JCudaDriver.cuModuleGetFunction(function, module, kernel));
        Pointer arguments = Pointer.to(Pointer.to(x), Pointer.to(y));
        check(JCudaDriver.cuLaunchKernel(
                function, blocks, 1, 1, THREADS, 1, 1, shared, new CUstream(), arguments, null));
        int result = JCudaDriver.cuCtxSynchronize();
        return result == CUresult.CUDA_SUCCESS ? "" : Cuda.describe(result);
    }

    /// From `first` on, and round again.
    private static float[] numbers(int first) {
        var numbers = new float[THREADS];
        for (int i = 0; i < THREADS; i++) {
            numbers[i] = (first + i) % THREADS;
        }
        return numbers;
    }

    private static CUdeviceptr allocate() {
        var pointer = new CUdeviceptr();
        check(JCudaDriver.cuMemAlloc(pointer, 4L * THREADS));
        return pointer;
    }

    private static void check(int result) {
        Cuda.check(result, "a call of the test");
    }
}
