package org.bergfried.worker.model;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;

/// gpt-oss's experts in float: inputs are rows, outputs columns, and those of gate and up stand in turn. What a
/// product
/// needs is a transposed copy, made anew each time: the backend that loads it keeps its own.
///
/// @param gateUpProj `[experts, hiddenSize, 2 * columns]`, columns in turn of gate and up.
/// @param gateUpBias `[experts, 2 * columns]`, likewise in turn.
/// @param downProj   `[experts, columns, hiddenSize]`.
/// @param downBias   `[experts, hiddenSize]`.
record TurnsLayer(StoredTensor gateUpProj, StoredTensor gateUpBias, StoredTensor downProj, StoredTensor downBias)
        implements ExpertLayer {
    @Override
    public TrunkTensors.SwiGlu expertOf(List<StoredTensor> stored) {
        StoredTensor both = stored.get(0);
        StoredTensor bothBias = stored.get(1);
        return new TrunkTensors.SwiGlu(
                transposed(both, ":gate", 0, 2),
                transposed(both, ":up", 1, 2),
                transposed(stored.get(2), "", 0, 1),
                new TrunkTensors.Biases(
                        everySecond(bothBias, ":gate", 0), everySecond(bothBias, ":up", 1), stored.get(3)));
    }

    @Override
    public List<StoredTensor> stored(int expert) {
        return List.of(
                ExpertLayer.slice(gateUpProj, expert),
                ExpertLayer.slice(gateUpBias, expert),
                ExpertLayer.slice(downProj, expert),
                ExpertLayer.slice(downBias, expert));
    }

    private static StoredTensor everySecond(StoredTensor bias, String suffix, int first) {
        StoredTensor column = transposed(bias, suffix, first, 2); // [columns, 1]
        return new StoredTensor(column.name(), column.type(), List.of(1, column.rows()), column.bytes());
    }

    /// Columns `first`, `first + step` ... as rows.
    private static StoredTensor transposed(StoredTensor tensor, String suffix, int first, int step) {
        int size = tensor.type().blockBytes();
        int columns = tensor.columns();
        int outputs = columns / step;
        int inputs = tensor.rows();
        var copy = new byte[Math.multiplyExact(Math.multiplyExact(outputs, inputs), size)];
        MemorySegment target = MemorySegment.ofArray(copy);
        for (int input = 0; input < inputs; input++) {
            for (int output = 0; output < outputs; output++) {
                long from = ((long) input * columns + first + (long) output * step) * size;
                long to = ((long) output * inputs + input) * size;
                MemorySegment.copy(tensor.bytes(), from, target, to, size);
            }
        }
        return new StoredTensor(tensor.name() + suffix, requireFloat(tensor), List.of(outputs, inputs), target);
    }

    private static ElementType requireFloat(StoredTensor tensor) {
        if (tensor.type().integerCoded()) {
            throw new IllegalArgumentException(tensor.name() + " is " + tensor.type() + " and cannot be transposed");
        }
        return tensor.type();
    }
}
