package org.bergfried.ops.bench;

import java.nio.file.Path;

/// Starts clusters of processes on this machine.
public interface Clusters {
    /// What to start.
    ///
    /// @param model   a directory with safetensors, or a .gguf file.
    /// @param workers processes.
    /// @param pinned  whether worker `i` may use core `i` only.
    record Form(Path model, int workers, boolean pinned) {}

    /// A router and workers that are ready.
    interface Running extends AutoCloseable {
        /// The router's gRPC address.
        String grpc();

        /// Resident memory of the workers now.
        long residentBytes();

        @Override
        void close();
    }

    /// Starts processes and returns when they are ready; they end with this process at the latest.
    Running start(Form form);
}
