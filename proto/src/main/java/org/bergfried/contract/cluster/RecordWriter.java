package org.bergfried.contract.cluster;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes the versioned binary form of a record: kind (1 byte), version (1), then the fields, big-endian.
final class RecordWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);

    RecordWriter(RecordKind kind) {
        bytes.write(kind.code());
        bytes.write(kind.version());
    }

    RecordWriter u8(int value) {
        bytes.write(value);
        return this;
    }

    RecordWriter flag(boolean value) {
        return u8(value ? 1 : 0);
    }

    RecordWriter u16(int value) {
        return u8(value >>> 8).u8(value);
    }

    RecordWriter i32(int value) {
        return u16(value >>> 16).u16(value);
    }

    RecordWriter i64(long value) {
        return i32((int) (value >>> 32)).i32((int) value);
    }

    RecordWriter f64(double value) {
        return i64(Double.doubleToLongBits(value));
    }

    /// UTF-8 with its length; at most 65535 bytes.
    RecordWriter text(String value) {
        byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
        u16(encoded.length);
        bytes.writeBytes(encoded);
        return this;
    }

    RecordWriter texts(List<String> values) {
        u16(values.size());
        values.forEach(this::text);
        return this;
    }

    RecordWriter ids(TokenIds ids) {
        i32(ids.size());
        ByteBuffer buffer = ByteBuffer.allocate(ids.size() * Integer.BYTES);
        buffer.asIntBuffer().put(ids.toArray());
        bytes.writeBytes(buffer.array());
        return this;
    }

    RecordWriter bytes(byte[] value) {
        i32(value.length);
        bytes.writeBytes(value);
        return this;
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }
}
