package org.bergfried.worker.weights.safetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.weights.JsonTexts;
import org.bergfried.worker.weights.MappedFile;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// Reads the header of a safetensors file: 8 bytes of length, a JSON object of that length, then the tensors' bytes.
/// Tensors fill those bytes without gap or overlap.
final class SafetensorsHeader {
    /// The format's own limit on the JSON.
    static final int JSON_BYTES_MAX = 100_000_000;

    private static final int LENGTH_BYTES = 8;
    private static final int DIMENSIONS_MAX = 16;
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment data;
    private final int dataStart;
    private final List<Placed> tensors = new ArrayList<>();

    /// A tensor and where it lies in the data.
    private record Placed(String name, String dtype, List<Long> shape, long begin, long end) {}

    private SafetensorsHeader(Path path, MemorySegment data, int dataStart) {
        this.path = path;
        this.data = data;
        this.dataStart = dataStart;
    }

    /// Every tensor of the file, by name, in the order of the bytes.
    static Map<String, TensorEntry> read(MappedFile file) {
        MemorySegment bytes = file.bytes();
        if (bytes.byteSize() < LENGTH_BYTES) {
            throw Refusals.corrupt(
                    file.path(), "has " + bytes.byteSize() + " bytes; a safetensors file has at least 8");
        }
        long length = bytes.get(LENGTH, 0);
        if (length < 2 || length > Math.min(JSON_BYTES_MAX, bytes.byteSize() - LENGTH_BYTES)) {
            throw Refusals.corrupt(
                    file.path(),
                    "its header claims " + Long.toUnsignedString(length) + " bytes; the file has " + bytes.byteSize()
                            + " and the limit is " + JSON_BYTES_MAX + "; fetch the file again");
        }
        int dataStart = LENGTH_BYTES + (int) length;
        byte[] json = bytes.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        var header = new SafetensorsHeader(file.path(), bytes.asSlice(dataStart), dataStart);
        try (JsonParser parser = JsonTexts.parser(json)) {
            header.parse(parser);
        } catch (JacksonException e) {
            throw JsonTexts.broken(file.path(), "the header is no valid JSON", e);
        }
        return header.entries();
    }

    private void parse(JsonParser parser) {
        expect(parser.nextToken(), JsonToken.START_OBJECT, "the header");
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            if (name.equals("__metadata__")) {
                parser.skipChildren();
            } else {
                tensors.add(parseTensor(parser, name));
            }
        }
        if (parser.nextToken() != null) {
            throw Refusals.corrupt(path, "the header goes on after its object");
        }
    }

    private Placed parseTensor(JsonParser parser, String name) {
        expect(parser.currentToken(), JsonToken.START_OBJECT, "tensor " + Refusals.shown(name));
        String dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String field = parser.currentName();
            parser.nextToken();
            switch (field) {
                case "dtype" -> {
                    expect(parser.currentToken(), JsonToken.VALUE_STRING, name + ".dtype");
                    dtype = parser.getString();
                }
                case "shape" -> shape = numbers(parser, name + ".shape", DIMENSIONS_MAX);
                case "data_offsets" -> offsets = numbers(parser, name + ".data_offsets", 2);
                default -> throw refuse(name, "has the unknown field " + Refusals.shown(field));
            }
        }
        if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
            throw refuse(name, "lacks dtype, shape or two data_offsets");
        }
        return new Placed(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    private List<Long> numbers(JsonParser parser, String what, int countMax) {
        expect(parser.currentToken(), JsonToken.START_ARRAY, what);
        var numbers = new ArrayList<Long>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, what);
            if (parser.getLongValue() < 0 || numbers.size() == countMax) {
                throw Refusals.corrupt(
                        path, Refusals.shown(what) + " must be at most " + countMax + " numbers of 0 or more");
            }
            numbers.add(parser.getLongValue());
        }
        return numbers;
    }

    private Map<String, TensorEntry> entries() {
        tensors.sort(Comparator.comparingLong(Placed::begin).thenComparingLong(Placed::end));
        var entries = new LinkedHashMap<String, TensorEntry>();
        long end = 0;
        for (Placed tensor : tensors) {
            if (tensor.begin != end) {
                throw refuse(tensor.name, "begins at byte " + tensor.begin + " of the data where " + end + " is due");
            }
            if (tensor.end < tensor.begin) {
                throw refuse(tensor.name, "ends at byte " + tensor.end + " of the data, before its begin");
            }
            if (tensor.end > data.byteSize()) {
                throw refuse(
                        tensor.name,
                        "ends at byte " + tensor.end + " of the data, which has " + data.byteSize()
                                + "; the file was cut off, fetch it again");
            }
            end = tensor.end;
            entries.put(tensor.name, entry(tensor));
        }
        if (end != data.byteSize()) {
            throw Refusals.corrupt(path, "has " + (data.byteSize() - end) + " bytes after its last tensor");
        }
        return entries;
    }

    private TensorEntry entry(Placed tensor) {
        ElementType type = elementType(tensor.dtype);
        int elementBits = elementBits(tensor.dtype);
        long bytes = tensor.end - tensor.begin;
        if (elementBits > 0 && bitsOf(tensor, elementBits) != Math.multiplyExact(bytes, 8L)) {
            throw refuse(
                    tensor.name, "of type " + tensor.dtype + " and shape " + tensor.shape + " has " + bytes + " bytes");
        }
        if (type != null && (dataStart + tensor.begin) % type.blockBytes() != 0) {
            throw Refusals.unsupported(
                    path,
                    "tensor " + Refusals.shown(tensor.name) + " begins at byte " + (dataStart + tensor.begin)
                            + ", no multiple of the " + type.blockBytes() + " of " + type + "; save the model again");
        }
        return new TensorEntry(path, tensor.name, tensor.dtype, type, tensor.shape, data.asSlice(tensor.begin, bytes));
    }

    private long bitsOf(Placed tensor, int elementBits) {
        try {
            long bits = elementBits;
            for (long size : tensor.shape) {
                bits = Math.multiplyExact(bits, size);
            }
            return bits;
        } catch (ArithmeticException e) {
            throw refuse(tensor.name, "has the shape " + tensor.shape + ", more than 2^63 bits");
        }
    }

    private static @Nullable ElementType elementType(String dtype) {
        return switch (dtype) {
            case "F32" -> ElementType.F32;
            case "F16" -> ElementType.F16;
            case "BF16" -> ElementType.BF16;
            case "F8_E4M3" -> ElementType.F8_E4M3;
            default -> null;
        };
    }

    /// 0 for a type that is not known here: its byte count cannot be checked, and the tensor cannot be used.
    private static int elementBits(String dtype) {
        return switch (dtype) {
            case "F64", "I64", "U64" -> 64;
            case "F32", "I32", "U32" -> 32;
            case "F16", "BF16", "I16", "U16" -> 16;
            case "F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL" -> 8;
            default -> 0;
        };
    }

    private void expect(@Nullable JsonToken token, JsonToken wanted, String what) {
        if (token != wanted) {
            throw Refusals.corrupt(path, Refusals.shown(what) + " must be " + wanted + " in the header, not " + token);
        }
    }

    private ClusterException refuse(String name, String what) {
        return Refusals.corrupt(path, "tensor " + Refusals.shown(name) + " " + what);
    }
}
