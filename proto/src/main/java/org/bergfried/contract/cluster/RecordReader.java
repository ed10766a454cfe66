package org.bergfried.contract.cluster;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// Reads what [RecordWriter] wrote. Nothing is allocated before its size has been compared with a limit and with
/// what is left of the bytes, and every malformed record ends in a [ClusterException].
final class RecordReader {
    private final RecordKind kind;
    private final ByteBuffer bytes;

    private RecordReader(RecordKind kind, byte[] bytes) {
        this.kind = kind;
        this.bytes = ByteBuffer.wrap(bytes);
    }

    /// Reads a whole record.
    ///
    /// @param fields reads the fields in the order in which they were written.
    static <T> T read(RecordKind kind, byte[] bytes, Function<RecordReader, T> fields) {
        var reader = new RecordReader(kind, bytes);
        int code = reader.u8();
        if (code != kind.code()) {
            throw reader.malformed("has the kind " + code + " instead of " + kind.code());
        }
        int version = reader.u8();
        if (!kind.canRead(version)) {
            throw reader.malformed("has the version " + version + "; this process writes " + kind.version()
                    + " and reads it and the one before");
        }
        try {
            T value = fields.apply(reader);
            if (reader.bytes.hasRemaining()) {
                throw reader.malformed("has " + reader.bytes.remaining() + " bytes too many");
            }
            return value;
        } catch (ClusterException invalid) {
            throw invalid.reason() == ErrorReason.INTERNAL ? invalid : reader.malformed(invalid.text());
        }
    }

    int u8() {
        need(1);
        return bytes.get() & 0xff;
    }

    boolean flag() {
        int value = u8();
        if (value > 1) {
            throw malformed("has the truth value " + value);
        }
        return value == 1;
    }

    int u16() {
        need(2);
        return bytes.getShort() & 0xffff;
    }

    int i32() {
        need(4);
        return bytes.getInt();
    }

    long i64() {
        need(8);
        return bytes.getLong();
    }

    double f64() {
        return Double.longBitsToDouble(i64());
    }

    String text() {
        int length = u16();
        need(length);
        ByteBuffer slice = bytes.slice(bytes.position(), length);
        bytes.position(bytes.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(slice).toString();
        } catch (CharacterCodingException notText) {
            throw malformed("has a text that is not UTF-8");
        }
    }

    List<String> texts(int countMax) {
        int count = count(u16(), countMax, 2);
        List<String> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(text());
        }
        return values;
    }

    TokenIds ids(int countMax) {
        int[] ids = new int[count(i32(), countMax, Integer.BYTES)];
        bytes.asIntBuffer().get(ids);
        bytes.position(bytes.position() + ids.length * Integer.BYTES);
        return TokenIds.of(ids);
    }

    byte[] bytes(int lengthMax) {
        byte[] value = new byte[count(i32(), lengthMax, 1)];
        bytes.get(value);
        return value;
    }

    /// A constant by its place in a list.
    <E> E constant(List<E> constants) {
        int index = u8();
        if (index >= constants.size()) {
            throw malformed("has the value " + index + " where " + constants.size() + " are known");
        }
        return constants.get(index);
    }

    /// Checks a count of elements of at least so many bytes each.
    int count(int count, int countMax, int elementBytesMin) {
        if (count < 0 || count > countMax) {
            throw malformed("has a count of " + count + "; the limit is " + countMax);
        }
        need(count * elementBytesMin);
        return count;
    }

    ClusterException malformed(String what) {
        return new ClusterException(ErrorReason.INTERNAL, kind.label() + " " + what);
    }

    private void need(int byteCount) {
        if (bytes.remaining() < byteCount) {
            throw malformed("is cut: " + byteCount + " bytes are missing at offset " + bytes.position() + " of "
                    + bytes.limit());
        }
    }
}
