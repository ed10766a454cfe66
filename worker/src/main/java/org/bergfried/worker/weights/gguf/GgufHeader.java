package org.bergfried.worker.weights.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.worker.weights.Refusals;

/// Reads what stands before the tensors' bytes: magic, version, metadata and the directory of tensors.
final class GgufHeader {
    private static final int MAGIC = 0x46554747; // "GGUF" read as a little-endian number
    private static final int MAGIC_BIG_ENDIAN = 0x47475546;
    private static final int VERSION_MIN = 2;
    private static final int VERSION_MAX = 3;
    private static final int FIELDS_MAX = 1 << 16;
    private static final int TENSORS_MAX = 1 << 18; // Kimi K2 with a tensor per expert has 70,000
    private static final int KEY_BYTES_MAX = 1024;
    private static final int NAME_BYTES_MAX = 256;
    private static final int DIMENSIONS_MAX = 4;
    private static final int ARRAY_DEPTH_MAX = 4;

    /// A tensor as the directory states it.
    ///
    /// @param shape  outermost first (the file has it the other way round).
    /// @param type   ggml's number of its type.
    /// @param offset of its bytes within the data.
    record Tensor(String name, List<Long> shape, int type, long offset) {}

    private final Path path;
    private final GgufCursor cursor;
    private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private final long metadataEnd;

    GgufHeader(Path path, MemorySegment bytes) {
        this.path = path;
        this.cursor = new GgufCursor(path, bytes);
        readMagic();
        long tensorCount = cursor.count("the number of tensors", TENSORS_MAX);
        long fieldCount = cursor.count("the number of metadata fields", FIELDS_MAX);
        for (long i = 0; i < fieldCount; i++) {
            readField();
        }
        metadataEnd = cursor.position();
        for (long i = 0; i < tensorCount; i++) {
            tensors.add(readTensor());
        }
    }

    Map<String, GgufValue> metadata() {
        return metadata;
    }

    List<Tensor> tensors() {
        return tensors;
    }

    /// Where the metadata end.
    long metadataEnd() {
        return metadataEnd;
    }

    /// Where the directory of tensors ends; the data begin at the next multiple of the alignment.
    long end() {
        return cursor.position();
    }

    private void readMagic() {
        int magic = cursor.int32("the magic number");
        if (magic == MAGIC_BIG_ENDIAN) {
            throw Refusals.unsupported(path, "is a big-endian GGUF; only little-endian ones are understood");
        }
        if (magic != MAGIC) {
            throw Refusals.corrupt(
                    path, "begins with 0x" + Integer.toHexString(magic) + ", not with GGUF; it is no GGUF file");
        }
        int version = cursor.int32("the version");
        if (version < VERSION_MIN || version > VERSION_MAX) {
            // A big-endian file's small number has its byte at the other end.
            String bigEndian = version != 0 && (version & 0xffff) == 0 ? " (a big-endian file?)" : "";
            throw Refusals.unsupported(
                    path,
                    "has version " + Integer.toUnsignedString(version) + bigEndian
                            + "; understood are 2 and 3, little-endian");
        }
    }

    private void readField() {
        String key = cursor.text("a metadata key", KEY_BYTES_MAX);
        GgufType type = type(key);
        GgufValue value = type == GgufType.ARRAY ? array(key) : scalar(key, type);
        if (metadata.put(key, value) != null) {
            throw Refusals.corrupt(path, "has the metadata field " + Refusals.shown(key) + " twice");
        }
    }

    private GgufType type(String key) {
        int number = cursor.int32("the type of " + key);
        GgufType type = GgufType.numbered(number);
        if (type == null) {
            throw Refusals.corrupt(
                    path, "metadata field " + Refusals.shown(key) + " has the unknown value type " + number);
        }
        return type;
    }

    private GgufValue scalar(String key, GgufType type) {
        if (type == GgufType.STRING) {
            return new GgufValue.Text(cursor.string(key));
        }
        MemorySegment bytes = cursor.take(type.bytes(), key);
        return switch (type) {
            case UINT8 -> new GgufValue.Whole(bytes.get(ValueLayout.JAVA_BYTE, 0) & 0xff);
            case INT8 -> new GgufValue.Whole(bytes.get(ValueLayout.JAVA_BYTE, 0));
            case UINT16 -> new GgufValue.Whole(bytes.get(little(ValueLayout.JAVA_SHORT_UNALIGNED), 0) & 0xffff);
            case INT16 -> new GgufValue.Whole(bytes.get(little(ValueLayout.JAVA_SHORT_UNALIGNED), 0));
            case UINT32 -> new GgufValue.Whole(Integer.toUnsignedLong(int32(bytes)));
            case INT32 -> new GgufValue.Whole(int32(bytes));
            case FLOAT32 -> new GgufValue.Real(Float.intBitsToFloat(int32(bytes)));
            case BOOL -> flag(key, bytes.get(ValueLayout.JAVA_BYTE, 0));
            case UINT64 -> unsigned(key, int64(bytes));
            case INT64 -> new GgufValue.Whole(int64(bytes));
            case FLOAT64 -> new GgufValue.Real(Double.longBitsToDouble(int64(bytes)));
            case STRING, ARRAY -> throw new IllegalStateException("not a scalar");
        };
    }

    private GgufValue flag(String key, byte value) {
        if (value != 0 && value != 1) {
            throw Refusals.corrupt(path, "metadata field " + Refusals.shown(key) + " is the truth value " + value);
        }
        return new GgufValue.Flag(value == 1);
    }

    private GgufValue unsigned(String key, long value) {
        if (value < 0) {
            throw Refusals.corrupt(
                    path,
                    "metadata field " + Refusals.shown(key) + " is " + Long.toUnsignedString(value)
                            + "; at most 2^63 - 1 is possible");
        }
        return new GgufValue.Whole(value);
    }

    private GgufValue array(String key) {
        GgufType type = type(key);
        long count = cursor.count("the length of " + key, cursor.remaining());
        return switch (type) {
            case STRING -> new GgufValue.Texts(requireInt(key, count), strings(key, count));
            case INT32, UINT32, FLOAT32 ->
                new GgufValue.Words(requireInt(key, count), cursor.take(count * Integer.BYTES, key));
            case BOOL -> new GgufValue.Flags(requireInt(key, count), cursor.take(count, key));
            default -> {
                skip(key, type, count, ARRAY_DEPTH_MAX);
                yield new GgufValue.Other(count);
            }
        };
    }

    /// Walks over strings so that whoever reads them later cannot leave the file.
    private MemorySegment strings(String key, long count) {
        long begin = cursor.position();
        for (long i = 0; i < count; i++) {
            cursor.string(key);
        }
        return cursor.since(begin);
    }

    private void skip(String key, GgufType type, long count, int depthLeft) {
        if (type.bytes() > 0) {
            cursor.take(Math.multiplyExact(count, (long) type.bytes()), key);
            return;
        }
        if (depthLeft == 0) {
            throw Refusals.corrupt(
                    path, "metadata field " + Refusals.shown(key) + " nests arrays deeper than " + ARRAY_DEPTH_MAX);
        }
        for (long i = 0; i < count; i++) {
            if (type == GgufType.STRING) {
                cursor.string(key);
            } else {
                GgufType inner = type(key);
                skip(key, inner, cursor.count("the length of " + key, cursor.remaining()), depthLeft - 1);
            }
        }
    }

    private int requireInt(String key, long count) {
        if (count > Integer.MAX_VALUE) {
            throw Refusals.corrupt(
                    path,
                    "metadata field " + Refusals.shown(key) + " has " + count + " elements; the limit is 2^31 - 1");
        }
        return (int) count;
    }

    private Tensor readTensor() {
        String name = cursor.text("a tensor's name", NAME_BYTES_MAX);
        int dimensions = cursor.int32("the dimensions of " + name);
        if (dimensions < 0 || dimensions > DIMENSIONS_MAX) {
            throw Refusals.corrupt(
                    path,
                    "tensor " + Refusals.shown(name) + " has " + Integer.toUnsignedString(dimensions)
                            + " dimensions; the limit is " + DIMENSIONS_MAX);
        }
        var shape = new ArrayList<Long>();
        for (int i = 0; i < dimensions; i++) {
            shape.addFirst(cursor.count("a size of " + name, Long.MAX_VALUE));
        }
        int type = cursor.int32("the type of " + name);
        return new Tensor(name, shape, type, cursor.count("the offset of " + name, Long.MAX_VALUE));
    }

    private static ValueLayout.OfShort little(ValueLayout.OfShort layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    private static int int32(MemorySegment bytes) {
        return bytes.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }

    private static long int64(MemorySegment bytes) {
        return bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }
}
