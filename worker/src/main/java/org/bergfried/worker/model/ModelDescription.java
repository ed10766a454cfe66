package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;

/// What `model inspect` says about a model: facts, and the numbers from which memory and traffic follow.
///
/// @param spec               everything that changes numbers.
/// @param parameters         weights of the model.
/// @param activeParameters   weights that one token meets (of the embedding only its row).
/// @param activeBytes        bytes of the weights that one token meets.
/// @param activeExpertBytes  bytes of routed experts among them.
/// @param trunkBytes         bytes of the trunk's tensors.
/// @param expertCount        routed experts over all layers.
/// @param expertBytes        bytes of the largest routed expert; 0 without.
/// @param cacheBytesPerToken bytes that one position takes in the cache, over all layers.
/// @param types              how the tensors are coded, the most bytes first.
/// @param fileBytes          bytes of the model's files.
/// @param stopIds            ids that end an answer.
public record ModelDescription(
        ModelSpec spec,
        long parameters,
        long activeParameters,
        long activeBytes,
        long activeExpertBytes,
        long trunkBytes,
        int expertCount,
        long expertBytes,
        long cacheBytesPerToken,
        List<TypeShare> types,
        long fileBytes,
        List<Integer> stopIds) {
    public ModelDescription {
        types = List.copyOf(types);
        stopIds = List.copyOf(stopIds);
    }

    /// The tensors of one type.
    ///
    /// @param type    how they are coded.
    /// @param tensors how many; an expert counts three.
    /// @param bytes   their bytes.
    public record TypeShare(ElementType type, int tensors, long bytes) {}

    /// Describes an open model.
    public static ModelDescription of(Model model) {
        ModelSpec spec = model.spec();
        List<StoredTensor> trunk = model.trunk().tensors();
        var experts = new ArrayList<StoredTensor>();
        long expertBytes = 0;
        long activeExperts = 0;
        long activeExpertBytes = 0;
        int expertCount = 0;
        for (int layer : spec.moeLayers()) {
            FeedForwardSpec.Moe moe = (FeedForwardSpec.Moe) spec.layers().get(layer);
            expertCount += moe.gate().experts();
            for (int expert = 0; expert < moe.gate().experts(); expert++) {
                List<StoredTensor> matrices = model.expert(layer, expert).tensors();
                experts.addAll(matrices);
                expertBytes = Math.max(expertBytes, bytes(matrices));
                if (expert < moe.gate().chosen()) {
                    activeExperts += weights(matrices);
                    activeExpertBytes += bytes(matrices);
                }
            }
        }
        var all = new ArrayList<>(trunk);
        all.addAll(experts);
        List<StoredTensor> unread =
                spec.tiedHead() ? List.of() : List.of(model.trunk().embedding());
        long embedding = spec.tiedHead() ? 0 : weights(unread) - spec.hiddenSize();
        return new ModelDescription(
                spec,
                weights(all),
                weights(trunk) - embedding + activeExperts,
                bytes(trunk) - bytes(unread) + activeExpertBytes,
                activeExpertBytes,
                bytes(trunk),
                expertCount,
                expertBytes,
                (long) spec.layers().size() * spec.attention().cacheColumns() * Float.BYTES,
                shares(all),
                model.fileBytes(),
                Arrays.stream(model.stopIds()).boxed().toList());
    }

    private static long weights(List<StoredTensor> tensors) {
        return tensors.stream()
                .mapToLong(tensor -> (long) tensor.rows() * tensor.columns())
                .sum();
    }

    private static long bytes(List<StoredTensor> tensors) {
        return tensors.stream().mapToLong(tensor -> tensor.bytes().byteSize()).sum();
    }

    private static List<TypeShare> shares(List<StoredTensor> tensors) {
        var shares = new TreeMap<ElementType, TypeShare>();
        for (StoredTensor tensor : tensors) {
            shares.merge(
                    tensor.type(),
                    new TypeShare(tensor.type(), 1, tensor.bytes().byteSize()),
                    (a, b) -> new TypeShare(a.type, a.tensors + b.tensors, a.bytes + b.bytes));
        }
        return shares.values().stream()
                .sorted((a, b) -> Long.compare(b.bytes, a.bytes))
                .toList();
    }
}
