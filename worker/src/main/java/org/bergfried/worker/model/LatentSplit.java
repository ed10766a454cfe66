package org.bergfried.worker.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.machine.MappedPages;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.Float8;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.Refusals;

/// Splits kv_b of latent attention per head (ARITHMETIC.md rule G, "MLA"). The K half is kept transposed, in private
/// memory of the model where the file does not have it so.
final class LatentSplit {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena;

    /// @param arena owns the transposed copies.
    LatentSplit(Arena arena) {
        this.arena = arena;
    }

    /// @param keyUp   per head `[kvRank, nopeColumns]`.
    /// @param valueUp per head `[valueColumns, kvRank]`.
    record Halves(List<StoredTensor> keyUp, List<StoredTensor> valueUp) {}

    /// The halves of one layer.
    Halves read(TensorFinder tensors, int layer, AttentionSpec.Latent attention) {
        return switch (tensors.form()) {
            case SAFETENSORS -> fromJoined(tensors, layer, attention);
            case GGUF -> fromSplit(tensors, layer, attention);
        };
    }

    private Halves fromJoined(TensorFinder tensors, int layer, AttentionSpec.Latent attention) {
        int nope = attention.nopeColumns();
        int headRows = nope + attention.valueColumns();
        StoredTensor joined = tensors.matrix(
                Part.KV_UP.name(tensors.form(), layer), attention.heads() * headRows, attention.kvRank());
        MemorySegment mapped = joined.bytes();
        if (joined.type() == ElementType.F8_E4M3) {
            joined = widened(joined);
        }
        var keyUp = new ArrayList<StoredTensor>();
        var valueUp = new ArrayList<StoredTensor>();
        for (int head = 0; head < attention.heads(); head++) {
            String suffix = "#" + head;
            keyUp.add(transposed(joined.slice(joined.name() + ".k" + suffix, head * headRows, nope)));
            valueUp.add(joined.slice(joined.name() + ".v" + suffix, head * headRows + nope, attention.valueColumns()));
        }
        MappedPages.drop(mapped); // the V halves come back when they are used
        return new Halves(keyUp, valueUp);
    }

    private Halves fromSplit(TensorFinder tensors, int layer, AttentionSpec.Latent attention) {
        String joined = Part.KV_UP.name(tensors.form(), layer);
        String keyName = Part.KEY_UP.name(tensors.form(), layer);
        if (tensors.has(joined) && !tensors.has(keyName)) {
            throw onlyJoined(tensors.path(), joined);
        }
        tensors.ignore(joined);
        StoredTensor keys = tensors.matrices(keyName, attention.heads(), attention.kvRank(), attention.nopeColumns());
        StoredTensor values = tensors.matrices(
                Part.VALUE_UP.name(tensors.form(), layer),
                attention.heads(),
                attention.valueColumns(),
                attention.kvRank());
        return new Halves(
                perHead(keys, attention.heads(), attention.kvRank()),
                perHead(values, attention.heads(), attention.valueColumns()));
    }

    /// What to say of a file that has kv_b in one piece, which cannot be transposed where it is integer-coded.
    static ClusterException onlyJoined(Path file, String joined) {
        return Refusals.unsupported(
                file,
                "has only " + joined + "; convert the model with a converter that writes "
                        + Part.KEY_UP.name(Form.GGUF, 0) + " and " + Part.VALUE_UP.name(Form.GGUF, 0));
    }

    private static List<StoredTensor> perHead(StoredTensor tensor, int heads, int rows) {
        var slices = new ArrayList<StoredTensor>();
        for (int head = 0; head < heads; head++) {
            slices.add(tensor.slice(tensor.name() + "#" + head, head * rows, rows));
        }
        return slices;
    }

    /// FP8 to F32, each weight times its scale: heads and blocks of 128 rows do not begin together.
    private StoredTensor widened(StoredTensor tensor) {
        int columns = tensor.columns();
        int across = StoredTensor.scaleBlocks(columns);
        MemorySegment scales = tensor.requireScales();
        MemorySegment target = arena.allocate(4L * tensor.bytes().byteSize(), 64);
        for (int row = 0; row < tensor.rows(); row++) {
            long scaleRow = (long) (row / StoredTensor.SCALE_BLOCK) * across;
            for (int column = 0; column < columns; column++) {
                long at = (long) row * columns + column;
                float scale = scales.get(FLOAT, 4 * (scaleRow + column / StoredTensor.SCALE_BLOCK));
                float code = Float8.toFloat(tensor.bytes().get(ValueLayout.JAVA_BYTE, at));
                target.set(FLOAT, 4 * at, code * scale);
            }
        }
        return new StoredTensor(tensor.name(), ElementType.F32, tensor.shape(), target.asReadOnly());
    }

    /// `[rows, columns]` to `[columns, rows]`, same type.
    private StoredTensor transposed(StoredTensor tensor) {
        int rows = tensor.rows();
        int columns = tensor.columns();
        int elementBytes = tensor.type().blockBytes();
        MemorySegment target = arena.allocate(tensor.bytes().byteSize(), 64);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                long from = ((long) row * columns + column) * elementBytes;
                long to = ((long) column * rows + row) * elementBytes;
                if (elementBytes == Float.BYTES) {
                    target.set(ValueLayout.JAVA_INT, to, tensor.bytes().get(ValueLayout.JAVA_INT_UNALIGNED, from));
                } else {
                    target.set(ValueLayout.JAVA_SHORT, to, tensor.bytes().get(ValueLayout.JAVA_SHORT_UNALIGNED, from));
                }
            }
        }
        return new StoredTensor(tensor.name(), tensor.type(), List.of(columns, rows), target.asReadOnly());
    }
}
