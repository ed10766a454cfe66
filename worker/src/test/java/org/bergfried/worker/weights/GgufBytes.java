package org.bergfried.worker.weights;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Puts a GGUF together by hand, right or wrong.
public final class GgufBytes {
    private static final int FIELD_COUNT_AT = 16;
    private static final int FIELDS_AT = 24;

    private final ByteArrayOutputStream fields = new ByteArrayOutputStream();
    private final ByteArrayOutputStream tensors = new ByteArrayOutputStream();
    private int magic = 0x46554747;
    private int version = 3;
    private long fieldCount;
    private long tensorCount;
    private byte[] dataStart = {};
    private int dataBytes;

    /// Another version.
    public GgufBytes version(int newVersion) {
        version = newVersion;
        return this;
    }

    /// Another magic number.
    public GgufBytes magic(int newMagic) {
        magic = newMagic;
        return this;
    }

    /// A string field.
    public GgufBytes text(String key, String value) {
        return field(key, 8, string(value));
    }

    /// An unsigned 32-bit field.
    public GgufBytes uint32(String key, int value) {
        return field(key, 4, ints(value));
    }

    /// An unsigned 16-bit field.
    public GgufBytes uint16(String key, int value) {
        return field(key, 2, new byte[] {(byte) value, (byte) (value >> 8)});
    }

    /// A truth value.
    public GgufBytes flag(String key, boolean value) {
        return field(key, 7, new byte[] {(byte) (value ? 1 : 0)});
    }

    /// A float32 field.
    public GgufBytes float32(String key, float value) {
        return field(key, 6, ints(Float.floatToRawIntBits(value)));
    }

    /// An array of strings.
    public GgufBytes texts(String key, List<String> values) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ints(8));
        bytes.writeBytes(longs(values.size()));
        values.forEach(value -> bytes.writeBytes(string(value)));
        return field(key, 9, bytes.toByteArray());
    }

    /// An array of 32-bit values of a type (5 int32, 6 float32).
    public GgufBytes words(String key, int type, int... values) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ints(type));
        bytes.writeBytes(longs(values.length));
        bytes.writeBytes(ints(values));
        return field(key, 9, bytes.toByteArray());
    }

    /// An array of truth values, a byte each.
    public GgufBytes flags(String key, byte... values) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ints(7));
        bytes.writeBytes(longs(values.length));
        bytes.writeBytes(values);
        return field(key, 9, bytes.toByteArray());
    }

    /// Any field.
    public GgufBytes field(String key, int type, byte[] value) {
        fields.writeBytes(string(key));
        fields.writeBytes(ints(type));
        fields.writeBytes(value);
        fieldCount++;
        return this;
    }

    /// All fields of another file.
    ///
    /// @param header its bytes up to the end of the metadata.
    public GgufBytes fieldsOf(byte[] header) {
        fieldCount += ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getLong(FIELD_COUNT_AT);
        fields.write(header, FIELDS_AT, header.length - FIELDS_AT);
        return this;
    }

    /// A tensor's entry.
    ///
    /// @param sizes innermost first, as the format has it.
    public GgufBytes tensor(String name, int type, long offset, long... sizes) {
        tensors.writeBytes(string(name));
        tensors.writeBytes(ints(sizes.length));
        tensors.writeBytes(longs(sizes));
        tensors.writeBytes(ints(type));
        tensors.writeBytes(longs(offset));
        tensorCount++;
        return this;
    }

    /// What the data begin with; zeros follow.
    public GgufBytes dataStart(byte[] bytes) {
        dataStart = bytes.clone();
        return this;
    }

    /// Bytes after the header, zeros where nothing else is said.
    public GgufBytes data(int bytes) {
        dataBytes = bytes;
        return this;
    }

    /// The file.
    public byte[] bytes() {
        var all = new ByteArrayOutputStream();
        all.writeBytes(ints(magic, version));
        all.writeBytes(longs(tensorCount, fieldCount));
        all.writeBytes(fields.toByteArray());
        all.writeBytes(tensors.toByteArray());
        all.writeBytes(new byte[(32 - all.size() % 32) % 32]);
        all.writeBytes(dataStart);
        all.writeBytes(new byte[dataBytes - dataStart.length]);
        return all.toByteArray();
    }

    /// A length and UTF-8.
    public static byte[] string(String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(longs(text.length));
        bytes.writeBytes(text);
        return bytes.toByteArray();
    }

    /// 32-bit numbers.
    public static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    /// 32-bit floats.
    public static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    /// 64-bit numbers.
    public static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            bytes.putLong(value);
        }
        return bytes.array();
    }
}
