package org.bergfried.ops.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Reads what a user names on the command line.
final class Input {
    private Input() {}

    /// A file's bytes, or those of standard input if none is named.
    static byte[] bytes(@Nullable Path file) {
        try {
            return file == null ? System.in.readAllBytes() : Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new CommandFailure(file + " does not exist", e);
        } catch (IOException e) {
            throw new CommandFailure(
                    (file == null ? "standard input" : file) + " cannot be read: " + e.getMessage(), e);
        }
    }

    /// The same as text.
    static String text(@Nullable Path file) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(file)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CommandFailure((file == null ? "standard input" : file) + " is not UTF-8", e);
        }
    }
}
