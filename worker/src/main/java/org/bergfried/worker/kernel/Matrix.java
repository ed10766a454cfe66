package org.bergfried.worker.kernel;

import org.bergfried.worker.tensor.ElementType;

/// Weights that a backend has loaded, opaque to everybody else. Integer-coded types are re-laid into tiles of 32
/// interleaved rows (ARITHMETIC.md
/// "Layout") in memory of the backend; float types stay where they are mapped.
public interface Matrix extends AutoCloseable {
    /// How the weights are coded.
    ElementType type();

    /// Outputs of a product with it.
    int rows();

    /// Inputs of a product with it.
    int columns();

    /// Bytes of the backend's own memory that it holds (0 for what stays mapped).
    long residentBytes();

    /// Gives its memory back. No operation that uses it may be queued or running.
    @Override
    void close();
}
