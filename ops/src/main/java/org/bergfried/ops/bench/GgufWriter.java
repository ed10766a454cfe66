package org.bergfried.ops.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Writes GGUF version 3: metadata, then tensors of random weights (https://github.com/ggml-org/ggml, docs/gguf.md).
final class GgufWriter {
    /// What random weights begin with.
    static final long WEIGHT_SEED = 7;

    private static final int ALIGNMENT = 32;
    private static final int TYPE_UINT32 = 4;
    private static final int TYPE_INT32 = 5;
    private static final int TYPE_FLOAT32 = 6;
    private static final int TYPE_BOOL = 7;
    private static final int TYPE_STRING = 8;
    private static final int TYPE_ARRAY = 9;

    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final Map<String, Weights> tensors = new LinkedHashMap<>();

    /// A tensor to be made.
    ///
    /// @param type  how its weights are coded.
    /// @param shape as GGUF has it: the columns of a row first.
    record Weights(WeightType type, List<Integer> shape) {
        long bytes() {
            long weights = 1;
            for (int size : shape) {
                weights *= size;
            }
            return weights / type.blockWeights() * type.blockBytes();
        }
    }

    /// Adds an entry: Integer, Float, Boolean, String, or a list of one of String, Integer and Float.
    GgufWriter put(String key, Object value) {
        metadata.put(key, value);
        return this;
    }

    /// Adds a matrix of random weights, or a tensor of ones if it is F32 and has one dimension.
    GgufWriter tensor(String name, WeightType type, Integer... shape) {
        WeightType fitting = type.forColumns(shape[0]);
        tensors.put(name, new Weights(fitting, List.of(shape)));
        return this;
    }

    /// Writes the file as a whole: it appears under its name when it is complete, and nothing is left of it if the
    /// process is asked to end before.
    void write(Path file) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".draft");
        draft.toFile().deleteOnExit();
        var random = new SplittableRandom(WEIGHT_SEED);
        try (var out = new BufferedOutputStream(Files.newOutputStream(draft), 1 << 20)) {
            byte[] header = header();
            out.write(header);
            pad(out, header.length);
            for (Weights weights : tensors.values()) {
                write(weights, random, out);
                pad(out, weights.bytes());
            }
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void write(Weights weights, SplittableRandom random, OutputStream out) throws IOException {
        int columns = weights.shape.getFirst();
        long left = weights.bytes();
        byte[] piece = new byte[weights.type.blockBytes() * 4096];
        boolean ones = weights.shape.size() == 1;
        while (left > 0) {
            int length = (int) Math.min(left, piece.length);
            weights.type.fill(piece, length, columns, ones, random);
            out.write(piece, 0, length);
            left -= length;
        }
    }

    private static void pad(OutputStream out, long written) throws IOException {
        out.write(new byte[(int) (padded(written) - written)]);
    }

    /// Bytes of all tensors, each padded to the alignment.
    long tensorBytes() {
        return tensors.values().stream()
                .mapToLong(weights -> padded(weights.bytes()))
                .sum();
    }

    private static long padded(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /// Everything before the first tensor, without its padding.
    byte[] header() {
        var header = ByteBuffer.allocate(64 << 20).order(ByteOrder.LITTLE_ENDIAN);
        header.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3);
        header.putLong(tensors.size()).putLong(metadata.size());
        metadata.forEach((key, value) -> {
            string(header, key);
            header.putInt(typeOf(value));
            value(header, value);
        });
        long offset = 0;
        for (var entry : tensors.entrySet()) {
            string(header, entry.getKey());
            Weights weights = entry.getValue();
            header.putInt(weights.shape.size());
            weights.shape.forEach(size -> header.putLong(size));
            header.putInt(weights.type.ggufCode()).putLong(offset);
            offset += padded(weights.bytes());
        }
        byte[] bytes = new byte[header.position()];
        header.flip().get(bytes);
        return bytes;
    }

    private static int typeOf(Object value) {
        return switch (value) {
            case Integer count -> TYPE_UINT32;
            case Float number -> TYPE_FLOAT32;
            case Boolean flag -> TYPE_BOOL;
            case String text -> TYPE_STRING;
            case List<?> list -> TYPE_ARRAY;
            default -> throw new IllegalArgumentException("no GGUF type for " + value.getClass());
        };
    }

    private static void value(ByteBuffer header, Object value) {
        switch (value) {
            case Integer count -> header.putInt(count);
            case Float number -> header.putFloat(number);
            case Boolean flag -> header.put((byte) (flag ? 1 : 0));
            case String text -> string(header, text);
            case List<?> list -> {
                Object first = list.getFirst();
                header.putInt(first instanceof Integer ? TYPE_INT32 : typeOf(first))
                        .putLong(list.size());
                list.forEach(item -> value(header, item));
            }
            default -> throw new IllegalArgumentException("no GGUF type for " + value.getClass());
        }
    }

    private static void string(ByteBuffer header, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        header.putLong(bytes.length).put(bytes);
    }
}
