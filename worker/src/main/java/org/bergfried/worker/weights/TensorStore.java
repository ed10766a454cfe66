package org.bergfried.worker.weights;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The tensors of a model, by name, whatever files hold them. Thread-safe; closing unmaps the files.
public interface TensorStore extends AutoCloseable {
    /// The file or directory, for messages.
    Path path();

    /// Every tensor, by name, in the order of the files.
    Map<String, TensorEntry> entries();

    /// The files that hold tensors.
    List<Path> files();

    /// Bytes of those files.
    long fileBytes();

    @Override
    void close();
}
