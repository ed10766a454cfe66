package org.bergfried.worker.model;

import java.util.List;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;

/// gpt-oss's experts in float: inputs are rows, outputs columns, and those of gate and up stand in turn. What a
/// product needs is a transposed copy, made anew each time: the backend that loads it keeps its own.
///
/// @param gateUpProj `[experts, hiddenSize, 2 * columns]`, columns in turn of gate and up.
/// @param gateUpBias `[experts, 2 * columns]`, likewise in turn.
/// @param downProj   `[experts, columns, hiddenSize]`.
/// @param downBias   `[experts, hiddenSize]`.
record TurnsLayer(StoredTensor gateUpProj, StoredTensor gateUpBias, StoredTensor downProj, StoredTensor downBias)
        implements ExpertLayer {
    @Override
    public List<StoredPart> parts(int expert) {
        return List.of(
                ExpertLayer.part(ExpertLayer.slice(gateUpProj, expert)),
                ExpertLayer.part(ExpertLayer.slice(gateUpBias, expert)),
                ExpertLayer.part(ExpertLayer.slice(downProj, expert)),
                ExpertLayer.part(ExpertLayer.slice(downBias, expert)));
    }

    @Override
    public TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts) {
        StoredTensor both = ExpertLayer.of(gateUpProj, expert, parts.get(0));
        return new TrunkTensors.SwiGlu(
                Transposed.of(both, ":gate", 0, 2),
                Transposed.of(both, ":up", 1, 2),
                Transposed.of(ExpertLayer.of(downProj, expert, parts.get(2)), "", 0, 1),
                biases(
                        ExpertLayer.of(gateUpBias, expert, parts.get(1)),
                        ExpertLayer.of(downBias, expert, parts.get(3))));
    }

    /// Biases of one expert, those of gate and up in turn.
    static TrunkTensors.Biases biases(StoredTensor gateUp, StoredTensor down) {
        return new TrunkTensors.Biases(everySecond(gateUp, ":gate", 0), everySecond(gateUp, ":up", 1), down);
    }

    private static StoredTensor everySecond(StoredTensor bias, String suffix, int first) {
        StoredTensor column = Transposed.of(bias, suffix, first, 2); // [columns, 1]
        return new StoredTensor(column.name(), column.type(), List.of(1, column.rows()), column.bytes());
    }
}
