package org.bergfried.ops.bench;

/// Which matrices of a synthetic file are coded how.
enum Mix {
    /// All alike.
    Q4_0(WeightType.Q4_0, WeightType.Q4_0),
    /// All alike.
    Q8_0(WeightType.Q8_0, WeightType.Q8_0),
    /// All alike.
    Q4_K(WeightType.Q4_K, WeightType.Q4_K),
    /// As llama.cpp chooses for files of that name: the head, and values and down projections of about half of the
    /// layers, are Q6_K.
    Q4_K_M(WeightType.Q4_K, WeightType.Q6_K);

    private final WeightType most;
    private final WeightType finer;

    Mix(WeightType most, WeightType finer) {
        this.most = most;
        this.finer = finer;
    }

    /// Of all matrices that no other method is about.
    WeightType most() {
        return most;
    }

    /// Of the head.
    WeightType head() {
        return finer;
    }

    /// Of values and down projections of a layer: finer in the first and the last eighth of the layers and in every
    /// third between them (`use_more_bits` of llama.cpp).
    WeightType sensitive(int layer, int layers) {
        boolean more = layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
        return more ? finer : most;
    }
}
