package org.bergfried.worker.model;

import java.util.List;
import org.bergfried.worker.tensor.StoredTensor;

/// The routed experts of one layer as they lie in the files.
interface ExpertLayer {
    /// The matrices of one expert.
    default TrunkTensors.SwiGlu expert(int expert) {
        return expertOf(stored(expert));
    }

    /// What the files hold of one expert, for its digest.
    List<StoredTensor> stored(int expert);

    /// The matrices that such tensors of one expert make up.
    TrunkTensors.SwiGlu expertOf(List<StoredTensor> stored);

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

        @Override
        public TrunkTensors.SwiGlu expertOf(List<StoredTensor> stored) {
            return new TrunkTensors.SwiGlu(stored.get(0), stored.get(1), stored.get(2));
        }
    }

    /// A layer's experts in one tensor each, `[experts, outputs, inputs]`.
    ///
    /// @param gateProj of all experts; likewise the next two.
    record Merged(StoredTensor gateProj, StoredTensor upProj, StoredTensor downProj) implements ExpertLayer {
        @Override
        public List<StoredTensor> stored(int expert) {
            return List.of(slice(gateProj, expert), slice(upProj, expert), slice(downProj, expert));
        }

        @Override
        public TrunkTensors.SwiGlu expertOf(List<StoredTensor> stored) {
            return new TrunkTensors.SwiGlu(stored.get(0), stored.get(1), stored.get(2));
        }
    }

    /// Gate and up in one tensor, the gate's rows first.
    ///
    /// @param gateUpProj `[experts, 2 * columns, hiddenSize]`.
    /// @param downProj   `[experts, hiddenSize, columns]`.
    record Halves(StoredTensor gateUpProj, StoredTensor downProj) implements ExpertLayer {
        @Override
        public List<StoredTensor> stored(int expert) {
            return List.of(slice(gateUpProj, expert), slice(downProj, expert));
        }

        @Override
        public TrunkTensors.SwiGlu expertOf(List<StoredTensor> stored) {
            StoredTensor both = stored.get(0);
            int columns = both.rows() / 2;
            return new TrunkTensors.SwiGlu(
                    both.slice(both.name() + ":gate", 0, columns),
                    both.slice(both.name() + ":up", columns, columns),
                    stored.get(1));
        }
    }

    /// The rows of one expert in a tensor of all.
    static StoredTensor slice(StoredTensor tensor, int expert) {
        int rows = tensor.rows() / tensor.shape().getFirst();
        return tensor.slice(tensor.name() + "#" + expert, expert * rows, rows);
    }
}
