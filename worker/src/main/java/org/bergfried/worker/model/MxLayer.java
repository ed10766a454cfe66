package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.TensorEntry;

/// gpt-oss's experts as they are published: floats of four bits (MXFP4), 32 of a row with an exponent; rows are
/// outputs, those of gate and up in turn. Blocks are put together anew each time: the backend that loads them keeps
/// its own copy.
///
/// @param gateUp     of `2 * columns` outputs.
/// @param gateUpBias `[experts, 2 * columns]`, in turn.
/// @param down       of hiddenSize outputs.
/// @param downBias   `[experts, hiddenSize]`.
record MxLayer(Matrices gateUp, StoredTensor gateUpBias, Matrices down, StoredTensor downBias) implements ExpertLayer {
    /// A matrix of every expert.
    ///
    /// @param blocks `[experts, rows, columns / 32, 16]` bytes, the first of two columns below.
    /// @param scales `[experts, rows, columns / 32]` exponents.
    record Matrices(TensorEntry blocks, TensorEntry scales, int rows, int columns) {
        private StoredTensor rows(int expert, List<StoredPart> parts, int from, String suffix, int first, int step) {
            return Nibbles.blocks(
                    blocks.name() + "#" + expert + suffix,
                    ElementType.F4_E2M1,
                    rows,
                    columns,
                    parts.get(from).bytes(),
                    parts.get(from + 1).bytes(),
                    first,
                    step);
        }

        private List<StoredPart> parts(int expert) {
            return List.of(Manifest.part(blocks, expert), Manifest.part(scales, expert));
        }
    }

    @Override
    public List<StoredPart> parts(int expert) {
        var parts = new ArrayList<StoredPart>();
        parts.addAll(gateUp.parts(expert));
        parts.add(ExpertLayer.part(ExpertLayer.slice(gateUpBias, expert)));
        parts.addAll(down.parts(expert));
        parts.add(ExpertLayer.part(ExpertLayer.slice(downBias, expert)));
        return parts;
    }

    @Override
    public TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts) {
        return new TrunkTensors.SwiGlu(
                gateUp.rows(expert, parts, 0, ":gate", 0, 2),
                gateUp.rows(expert, parts, 0, ":up", 1, 2),
                down.rows(expert, parts, 3, "", 0, 1),
                TurnsLayer.biases(
                        ExpertLayer.of(gateUpBias, expert, parts.get(2)),
                        ExpertLayer.of(downBias, expert, parts.get(5))));
    }
}
