package org.bergfried.worker.weights.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.weights.MappedFile;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;
import org.jspecify.annotations.Nullable;

/// One GGUF file (version 2 or 3, little-endian), mapped. Opening reads metadata and the directory of tensors only.
public final class GgufFile implements TensorStore {
    private static final int ALIGNMENT = 32;
    private static final int ALIGNMENT_MAX = 1 << 20;

    /// ggml's names of its types, by number; null where there is none.
    private static final @Nullable String[] TYPE_NAMES = {
        "F32", "F16", "Q4_0", "Q4_1", null, null, "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16",
        "I32", "I64", "F64", "IQ1_M", "BF16", null, null, null, "TQ1_0", "TQ2_0", null, null, null, "MXFP4"
    };

    private final MappedFile file;
    private final Map<String, GgufValue> metadata;
    private final MemorySegment metadataBytes;
    private final Map<String, TensorEntry> entries;

    private GgufFile(MappedFile file) {
        this.file = file;
        var header = new GgufHeader(file.path(), file.bytes());
        metadata = Collections.unmodifiableMap(header.metadata());
        metadataBytes = file.bytes().asSlice(0, header.metadataEnd());
        entries = Collections.unmodifiableMap(readTensors(header));
    }

    /// Opens a file and checks its header against its length.
    ///
    /// @throws ClusterException WEIGHTS_CORRUPT if they disagree, MODEL_UNSUPPORTED for another version.
    public static GgufFile open(Path path) {
        MappedFile file = MappedFile.open(path);
        try {
            return new GgufFile(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /// The metadata, in the order of the file.
    public Map<String, GgufValue> metadata() {
        return metadata;
    }

    /// The bytes of the file up to the end of the metadata.
    public MemorySegment metadataBytes() {
        return metadataBytes;
    }

    private Map<String, TensorEntry> readTensors(GgufHeader header) {
        long dataStart = alignedUp(header.end(), alignment());
        long dataBytes = Math.max(0, file.bytes().byteSize() - dataStart);
        List<GgufHeader.Tensor> sorted = new ArrayList<>(header.tensors());
        sorted.sort(Comparator.comparingLong(GgufHeader.Tensor::offset));
        var found = new LinkedHashMap<String, TensorEntry>();
        for (int i = 0; i < sorted.size(); i++) {
            GgufHeader.Tensor tensor = sorted.get(i);
            long end = i + 1 < sorted.size() ? sorted.get(i + 1).offset() : dataBytes;
            if (tensor.offset() % alignment() != 0) {
                throw refuse(
                        tensor,
                        "begins at byte " + tensor.offset() + " of the data, no multiple of the alignment "
                                + alignment());
            }
            TensorEntry entry = entry(tensor, dataStart, Math.min(end, dataBytes));
            if (found.put(tensor.name(), entry) != null) {
                throw refuse(tensor, "is there twice");
            }
        }
        return found;
    }

    private TensorEntry entry(GgufHeader.Tensor tensor, long dataStart, long end) {
        ElementType type = elementType(tensor.type());
        long room = end - tensor.offset();
        long bytes = type == null ? Math.max(0, room) : bytesOf(tensor, type);
        if (bytes > room) {
            throw refuse(
                    tensor,
                    "needs " + bytes + " bytes from byte " + tensor.offset() + " of the data, and there are "
                            + Math.max(0, room) + " before the next tensor or the end; fetch the file again");
        }
        MemorySegment at = room < 0 ? MemorySegment.NULL : file.bytes().asSlice(dataStart + tensor.offset(), bytes);
        return new TensorEntry(file.path(), tensor.name(), typeName(tensor.type()), type, tensor.shape(), at);
    }

    private long bytesOf(GgufHeader.Tensor tensor, ElementType type) {
        long columns = tensor.shape().isEmpty() ? 1 : tensor.shape().getLast();
        if (columns % type.blockColumns() != 0) {
            throw refuse(
                    tensor,
                    "has rows of " + columns + " elements, no multiple of the " + type.blockColumns() + " of " + type);
        }
        try {
            long bytes = Math.multiplyExact(columns / type.blockColumns(), (long) type.blockBytes());
            for (long size :
                    tensor.shape().subList(0, Math.max(0, tensor.shape().size() - 1))) {
                bytes = Math.multiplyExact(bytes, size);
            }
            return bytes;
        } catch (ArithmeticException e) {
            throw refuse(tensor, "has the shape " + tensor.shape() + ", more than 2^63 bytes");
        }
    }

    private int alignment() {
        GgufValue value = metadata.get("general.alignment");
        if (value == null) {
            return ALIGNMENT;
        }
        if (value instanceof GgufValue.Whole(long bytes)
                && bytes >= 8
                && bytes <= ALIGNMENT_MAX
                && Long.bitCount(bytes) == 1) {
            return (int) bytes;
        }
        throw Refusals.corrupt(
                file.path(),
                "general.alignment = " + Refusals.shown(value.shown()) + "; it must be a power of two from 8 to "
                        + ALIGNMENT_MAX);
    }

    private static long alignedUp(long position, int alignment) {
        return (position + alignment - 1) / alignment * alignment;
    }

    private static @Nullable ElementType elementType(int number) {
        return switch (typeName(number)) {
            case "F32" -> ElementType.F32;
            case "F16" -> ElementType.F16;
            case "BF16" -> ElementType.BF16;
            case "Q8_0" -> ElementType.Q8_0;
            case "Q4_0" -> ElementType.Q4_0;
            case "Q4_1" -> ElementType.Q4_1;
            case "Q5_0" -> ElementType.Q5_0;
            case "Q5_1" -> ElementType.Q5_1;
            case "Q2_K" -> ElementType.Q2_K;
            case "Q3_K" -> ElementType.Q3_K;
            case "Q4_K" -> ElementType.Q4_K;
            case "Q5_K" -> ElementType.Q5_K;
            case "Q6_K" -> ElementType.Q6_K;
            case "IQ4_NL" -> ElementType.IQ4_NL;
            case "IQ4_XS" -> ElementType.IQ4_XS;
            case "MXFP4" -> ElementType.MXFP4;
            default -> null;
        };
    }

    private static String typeName(int number) {
        String name = number >= 0 && number < TYPE_NAMES.length ? TYPE_NAMES[number] : null;
        return name == null ? "number " + Integer.toUnsignedString(number) : name;
    }

    private ClusterException refuse(GgufHeader.Tensor tensor, String what) {
        return Refusals.corrupt(file.path(), "tensor " + Refusals.shown(tensor.name()) + " " + what);
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
