package org.bergfried.worker.kernel.choice;

import org.bergfried.worker.kernel.cuda.CudaSettings;

/// Which backends a worker is configured to compute with.
///
/// @param trunk   `auto`, or the name of the trunk's backend.
/// @param experts `auto`, or the name of the experts' backend.
/// @param threads compute threads; 0 for all that affinity and CPU quota grant.
/// @param pinned  whether each compute thread is bound to a processor of its own.
/// @param cuda    which device, where one is used.
public record BackendChoice(String trunk, String experts, int threads, boolean pinned, CudaSettings cuda) {
    /// One backend for both, on the first device where that is a GPU.
    public static BackendChoice of(String backend, int threads) {
        return of(backend, threads, CudaSettings.defaults());
    }

    /// One backend for both.
    public static BackendChoice of(String backend, int threads, CudaSettings cuda) {
        return new BackendChoice(backend, backend, threads, false, cuda);
    }
}
