package org.bergfried.worker.weights.safetensors;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.bergfried.worker.weights.MappedFile;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;

/// One safetensors file, mapped. Opening reads its header only.
public final class SafetensorsFile implements TensorStore {
    private final MappedFile file;
    private final Map<String, TensorEntry> entries;

    private SafetensorsFile(MappedFile file, Map<String, TensorEntry> entries) {
        this.file = file;
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// Opens a file and checks its header against its length.
    ///
    /// @throws org.bergfried.contract.ClusterException WEIGHTS_CORRUPT if they disagree.
    public static SafetensorsFile open(Path path) {
        MappedFile file = MappedFile.open(path);
        try {
            return new SafetensorsFile(file, SafetensorsHeader.read(file));
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return entries;
    }

    @Override
    public List<Path> files() {
        return List.of(file.path());
    }

    @Override
    public long fileBytes() {
        return file.bytes().byteSize();
    }

    @Override
    public void close() {
        file.close();
    }
}
