package org.bergfried.worker.model;

import java.util.List;
import org.bergfried.worker.tensor.StoredTensor;

/// The routed experts of one layer as they lie in the files.
interface ExpertLayer {
    /// The matrices of one expert.
    TrunkTensors.SwiGlu expert(int expert);

    /// What the files hold of one expert, for its digest.
    List<StoredTensor> stored(int expert);

    /// One tensor for each expert and matrix.
    ///
    /// @param experts by index.
    record Single(List<TrunkTensors.SwiGlu> experts) implements ExpertLayer {
        public Single {
            experts = List.copyOf(experts);
        }

        @Override
        public TrunkTensors.SwiGlu expert(int expert) {
            return experts.get(expert);
        }

        @Override
        public List<StoredTensor> stored(int expert) {
            return expert(expert).tensors();
        }
    }

    /// A layer's experts in one tensor each, `[experts, outputs, inputs]`.
    ///
    /// @param gateProj of all experts; likewise the next two.
    record Merged(StoredTensor gateProj, StoredTensor upProj, StoredTensor downProj) implements ExpertLayer {
        @Override
        public TrunkTensors.SwiGlu expert(int expert) {
            return new TrunkTensors.SwiGlu(slice(gateProj, expert), slice(upProj, expert), slice(downProj, expert));
        }

        @Override
        public List<StoredTensor> stored(int expert) {
            return expert(expert).tensors();
        }
    }

    /// Gate and up in one tensor, the gate's rows first.
    ///
    /// @param gateUpProj `[experts, 2 * columns, hiddenSize]`.
    /// @param downProj   `[experts, hiddenSize, columns]`.
    record Halves(StoredTensor gateUpProj, StoredTensor downProj) implements ExpertLayer {
        @Override
        public TrunkTensors.SwiGlu expert(int expert) {
            StoredTensor both = slice(gateUpProj, expert);
            int columns = both.rows() / 2;
            return new TrunkTensors.SwiGlu(
                    both.slice(both.name() + ":gate", 0, columns),
                    both.slice(both.name() + ":up", columns, columns),
                    slice(downProj, expert));
        }

        @Override
        public List<StoredTensor> stored(int expert) {
            return List.of(slice(gateUpProj, expert), slice(downProj, expert));
        }
    }

    /// The rows of one expert in a tensor of all.
    static StoredTensor slice(StoredTensor tensor, int expert) {
        int rows = tensor.rows() / tensor.shape().getFirst();
        return tensor.slice(tensor.name() + "#" + expert, expert * rows, rows);
    }
}
