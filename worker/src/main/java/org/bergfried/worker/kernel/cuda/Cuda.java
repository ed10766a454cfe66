package org.bergfried.worker.kernel.cuda;

import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/// What calls of the driver return.
final class Cuda {
    private Cuda() {}

    /// Throws if a call failed: the device is unusable from then on, or this is a bug.
    ///
    /// @param action what was being done, for the message.
    static void check(int result, String action) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw new IllegalStateException(action + " failed: " + describe(result));
        }
    }

    /// For people: the driver's words.
    static String describe(int result) {
        String[] text = new String[1];
        JCudaDriver.cuGetErrorString(result, text);
        return CUresult.stringFor(result) + " (" + result + (text[0] == null ? ")" : "): " + text[0]);
    }
}
