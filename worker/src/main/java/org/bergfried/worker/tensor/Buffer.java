package org.bergfried.worker.tensor;

/// Memory of a backend, opaque to everybody else: host memory for the CPU backends, device memory for a GPU. Its
/// bytes
/// become readable by the
/// host only through the backend that made it.
public interface Buffer {
    /// Size in bytes.
    long byteSize();
}
