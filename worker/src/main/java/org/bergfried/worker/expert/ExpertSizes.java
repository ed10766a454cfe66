package org.bergfried.worker.expert;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.worker.kernel.WeightSize;
import org.bergfried.worker.kernel.cpu.CpuBackend;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.TrunkTensors.SwiGlu;
import org.bergfried.worker.tensor.StoredTensor;

/// What the routed experts of a model take of memory, their own or a file's mapping, before they are loaded.
public final class ExpertSizes {
    private static final long UNLIKE = -1;

    private final Model model;
    private final WeightSize sizes;
    private final PlacementFacts facts;
    private final Map<Integer, Long> alike = new ConcurrentHashMap<>(); // by layer: bytes of each, or UNLIKE

    /// @param sizes of the backend that computes them.
    public ExpertSizes(Model model, WeightSize sizes) {
        this.model = model;
        this.sizes = sizes;
        facts = ExpertStore.facts(model.spec());
    }

    /// Of experts on the CPU.
    public static ExpertSizes onCpu(Model model) {
        return new ExpertSizes(model, CpuBackend.WEIGHTS);
    }

    /// Of these experts, what they take of a backend's private memory: nothing for weights that stay mapped.
    public ExpertSizes ownMemory() {
        return new ExpertSizes(model, new Own(sizes));
    }

    /// Bytes of one expert of a layer, by the first.
    public long bytes(int layer) {
        return bytes(layer, 0);
    }

    /// Bytes of one expert.
    public long bytes(int layer, int expert) {
        long known = alike.computeIfAbsent(layer, this::bytesIfAlike);
        return known == UNLIKE ? bytes(model.expert(layer, expert)) : known;
    }

    /// Bytes of a set of experts.
    public long bytes(ExpertSet experts) {
        long bytes = 0;
        for (int layer : experts.facts().moeLayers()) {
            for (int expert : experts.experts(layer)) {
                bytes += bytes(layer, expert);
            }
        }
        return bytes;
    }

    /// Bytes of all experts.
    public long all() {
        return bytes(ExpertSet.all(facts));
    }

    /// Bytes of the largest expert, by the first of each layer.
    public long largest() {
        return facts.moeLayers().stream().mapToLong(this::bytes).max().orElse(0);
    }

    /// Where the files have weights in another form, asking for an expert reads all of it; then the experts of a
    /// layer are alike, and one of them is asked for.
    private long bytesIfAlike(int layer) {
        SwiGlu first = model.expert(layer, 0);
        boolean isMadeAnew =
                first.tensors().stream().anyMatch(tensor -> !tensor.bytes().isNative());
        return isMadeAnew ? bytes(first) : UNLIKE;
    }

    private long bytes(SwiGlu expert) {
        return expert.tensors().stream().mapToLong(sizes::weightBytes).sum();
    }

    private record Own(WeightSize sizes) implements WeightSize {
        @Override
        public long residentBytes(StoredTensor tensor) {
            return sizes.residentBytes(tensor);
        }

        @Override
        public long weightBytes(StoredTensor tensor) {
            return sizes.residentBytes(tensor);
        }
    }
}
