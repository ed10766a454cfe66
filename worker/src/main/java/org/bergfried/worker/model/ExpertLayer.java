package org.bergfried.worker.model;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// The routed experts of one layer as they lie in the files.
interface ExpertLayer {
    /// The matrices of one expert.
    default TrunkTensors.SwiGlu expert(int expert) {
        return expertOf(expert, parts(expert));
    }

    /// What the files hold of one expert, as the manifest lists it.
    List<StoredPart> parts(int expert);

    /// The matrices that such parts of an expert, or copies of them, make up.
    TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts);

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
        public List<StoredPart> parts(int expert) {
            var parts = new ArrayList<StoredPart>();
            for (StoredTensor tensor : expert(expert).tensors()) {
                parts.add(part(tensor));
                MemorySegment scales = tensor.scales();
                if (scales != null) {
                    List<Long> shape = List.of((long) StoredTensor.scaleBlocks(tensor.rows()), (long)
                            StoredTensor.scaleBlocks(tensor.columns()));
                    parts.add(new StoredPart(TensorFinder.scalesOf(tensor.name()), shape, scales));
                }
            }
            return parts;
        }

        @Override
        public TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts) {
            var matrices = new ArrayList<StoredTensor>();
            int next = 0;
            for (StoredTensor tensor : expert(expert).tensors()) {
                MemorySegment bytes = parts.get(next++).bytes();
                MemorySegment scales =
                        tensor.scales() == null ? null : parts.get(next++).bytes();
                matrices.add(with(tensor, bytes, scales));
            }
            return new TrunkTensors.SwiGlu(matrices.get(0), matrices.get(1), matrices.get(2));
        }
    }

    /// A layer's experts in one tensor each, `[experts, outputs, inputs]`.
    ///
    /// @param gateProj of all experts; likewise the next two.
    record Merged(StoredTensor gateProj, StoredTensor upProj, StoredTensor downProj) implements ExpertLayer {
        @Override
        public List<StoredPart> parts(int expert) {
            return List.of(part(slice(gateProj, expert)), part(slice(upProj, expert)), part(slice(downProj, expert)));
        }

        @Override
        public TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts) {
            return new TrunkTensors.SwiGlu(
                    of(gateProj, expert, parts.get(0)),
                    of(upProj, expert, parts.get(1)),
                    of(downProj, expert, parts.get(2)));
        }
    }

    /// Gate and up in one tensor, the gate's rows first.
    ///
    /// @param gateUpProj `[experts, 2 * columns, hiddenSize]`.
    /// @param downProj   `[experts, hiddenSize, columns]`.
    record Halves(StoredTensor gateUpProj, StoredTensor downProj) implements ExpertLayer {
        @Override
        public List<StoredPart> parts(int expert) {
            return List.of(part(slice(gateUpProj, expert)), part(slice(downProj, expert)));
        }

        @Override
        public TrunkTensors.SwiGlu expertOf(int expert, List<StoredPart> parts) {
            StoredTensor both = of(gateUpProj, expert, parts.get(0));
            int columns = both.rows() / 2;
            return new TrunkTensors.SwiGlu(
                    both.slice(both.name() + ":gate", 0, columns),
                    both.slice(both.name() + ":up", columns, columns),
                    of(downProj, expert, parts.get(1)));
        }
    }

    /// The rows of one expert in a tensor of all.
    static StoredTensor slice(StoredTensor tensor, int expert) {
        int rows = tensor.rows() / tensor.shape().getFirst();
        return tensor.slice(tensor.name() + "#" + expert, expert * rows, rows);
    }

    /// The same with the bytes of a part.
    static StoredTensor of(StoredTensor tensor, int expert, StoredPart part) {
        return with(slice(tensor, expert), part.bytes(), null);
    }

    /// A tensor's bytes as a part.
    static StoredPart part(StoredTensor tensor) {
        return new StoredPart(
                tensor.name(), tensor.shape().stream().map(Integer::longValue).toList(), tensor.bytes());
    }

    private static StoredTensor with(StoredTensor tensor, MemorySegment bytes, @Nullable MemorySegment scales) {
        return new StoredTensor(tensor.name(), tensor.type(), tensor.shape(), bytes, scales);
    }
}
