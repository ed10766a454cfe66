package org.bergfried.worker.kernel.choice;

import java.util.Set;
import org.bergfried.worker.kernel.cuda.CudaSettings;
import org.bergfried.worker.kernel.foreign.LibrarySettings;
import org.bergfried.worker.kernel.foreign.NativeLibrary;

/// Which backends a worker is configured to compute with.
///
/// @param trunk   `auto`, or the name of the trunk's backend.
/// @param experts `auto`, or the name of the experts' backend.
/// @param threads compute threads; 0 for all that affinity and CPU quota grant.
/// @param pinned  whether each compute thread is bound to a processor of its own.
/// @param cuda    which device, where one is used.
/// @param library where the kernels in C come from.
public record BackendChoice(
        String trunk, String experts, int threads, boolean pinned, CudaSettings cuda, LibrarySettings library) {
    private static final Set<String> IN_JAVA = Set.of("scalar", "vector");

    /// One backend for both, on the first device where that is a GPU.
    public static BackendChoice of(String backend, int threads) {
        return of(backend, threads, CudaSettings.defaults());
    }

    /// One backend for both.
    public static BackendChoice of(String backend, int threads, CudaSettings cuda) {
        return new BackendChoice(backend, backend, threads, false, cuda, LibrarySettings.shipped());
    }

    /// Loads the kernels in C from where the choice wants them, if it can mean them at all.
    void openLibrary() {
        if (!IN_JAVA.contains(trunk) || !IN_JAVA.contains(experts)) {
            NativeLibrary.open(library);
        }
    }
}
