package org.bergfried.worker.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A file mapped read-only. Opening it reads nothing; pages come in when they are touched.
///
/// @param path  where it is.
/// @param bytes its bytes.
/// @param arena owns the mapping.
public record MappedFile(Path path, MemorySegment bytes, Arena arena) implements AutoCloseable {
    /// Maps a file.
    ///
    /// @throws org.bergfried.contract.ClusterException WEIGHTS_CORRUPT if it is not there or cannot be read.
    public static MappedFile open(Path path) {
        if (!Files.isRegularFile(path)) {
            throw Refusals.corrupt(path, "no such file; fetch the model again or correct the path");
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new MappedFile(path, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), arena);
        } catch (IOException e) {
            arena.close();
            throw Refusals.corrupt(path, "cannot be read: " + e);
        }
    }

    /// Unmaps the file. Nothing may use its bytes any more.
    @Override
    public void close() {
        arena.close();
    }
}
