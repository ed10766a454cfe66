package org.bergfried.contract.cluster;

import java.util.List;
import java.util.stream.IntStream;
import org.bergfried.contract.Limits;

/// What placement needs to know of a model.
///
/// @param moeLayers the indices of the layers with routed experts, ascending; empty for a dense model.
/// @param expertsPerLayer routed experts of each of them; 0 for a dense model.
public record PlacementFacts(List<Integer> moeLayers, int expertsPerLayer) {
    /// Checks order and bounds.
    public PlacementFacts {
        moeLayers = List.copyOf(moeLayers);
        Bounds.size("moeLayers", moeLayers.size(), Limits.MOE_LAYERS);
        Bounds.range("expertsPerLayer", expertsPerLayer, moeLayers.isEmpty() ? 0 : 1, Limits.EXPERTS_PER_LAYER);
        int previous = -1;
        for (int layer : moeLayers) {
            if (layer <= previous || layer > 0xffff) {
                throw Bounds.invalid(
                        "moeLayers has " + layer + " after " + previous + "; layers must ascend below 65536");
            }
            previous = layer;
        }
    }

    /// The same from an array.
    public static PlacementFacts of(int[] moeLayers, int expertsPerLayer) {
        return new PlacementFacts(IntStream.of(moeLayers).boxed().toList(), expertsPerLayer);
    }

    /// All experts, over all layers.
    public int expertCount() {
        return moeLayers.size() * expertsPerLayer;
    }

    /// The index of an expert in tables over (layer, expert).
    ///
    /// @throws IllegalArgumentException if the model has no such expert.
    public int cell(int layer, int expert) {
        int row = java.util.Collections.binarySearch(moeLayers, layer);
        if (row < 0 || expert < 0 || expert >= expertsPerLayer) {
            throw new IllegalArgumentException("no expert " + expert + " in layer " + layer + "; layers " + moeLayers
                    + " have " + expertsPerLayer + " experts each");
        }
        return row * expertsPerLayer + expert;
    }
}
