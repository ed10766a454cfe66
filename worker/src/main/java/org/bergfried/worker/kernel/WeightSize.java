package org.bergfried.worker.kernel;

import org.bergfried.worker.tensor.StoredTensor;

/// How much of a backend's own memory a weight matrix will take, known before it is loaded.
@FunctionalInterface
public interface WeightSize {
    /// Bytes of private memory that one matrix takes; none if it stays in the mapped file.
    long residentBytes(StoredTensor tensor);

    /// Bytes that are read when it is computed with, in private memory or in the mapped file.
    default long weightBytes(StoredTensor tensor) {
        long resident = residentBytes(tensor);
        return resident > 0 ? resident : tensor.bytes().byteSize();
    }
}
