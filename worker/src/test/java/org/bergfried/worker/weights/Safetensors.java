package org.bergfried.worker.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Writes safetensors files, right ones and wrong ones.
public final class Safetensors {
    private Safetensors() {}

    /// A file with a header and zeros as data. The header is padded with spaces so that data begin at a multiple of 8.
    public static void write(Path file, String header, int dataBytes) throws IOException {
        String padded = header + " ".repeat((8 - header.length() % 8) % 8);
        writeRaw(file, padded.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    /// The same without padding.
    public static void writeRaw(Path file, byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        Files.write(file, bytes.array());
    }
}
