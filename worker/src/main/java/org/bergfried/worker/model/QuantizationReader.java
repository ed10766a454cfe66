package org.bergfried.worker.model;

import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Reads `quantization_config`: what it says must be what the tensors are understood as.
final class QuantizationReader {
    private static final int GROUP_COLUMNS = 32;
    private static final int SCALE_BLOCK = 128;

    private QuantizationReader() {}

    /// Refuses every way of quantising that is not understood. Activations are never rounded to what the file
    /// proposes.
    static void read(Config config) {
        Config quantization = config.nested("quantization_config");
        if (quantization == null) {
            return;
        }
        // Which modules are not quantised is seen from their tensors.
        Set<String> harmless = Set.of("modules_to_not_convert", "ignore", "scale_fmt", "quantization_status");
        switch (quantization.word("quant_method", "")) {
            case "fp8" -> float8(quantization);
            case "mxfp4" -> {
                // says nothing else
            }
            case "compressed-tensors" -> packed(quantization);
            default -> throw quantization.refuse("quant_method", "understood are fp8, mxfp4 and compressed-tensors");
        }
        quantization.refuseUnread(harmless);
    }

    private static void float8(Config quantization) {
        quantization.onlyWord("fmt", "e4m3");
        quantization.onlyWord("activation_scheme", "dynamic");
        JsonNode block = quantization.value("weight_block_size");
        if (block == null || block.size() != 2) {
            throw quantization.refuse("weight_block_size", "only blocks of 128 x 128 are understood");
        }
        quantization.only("weight_block_size", SCALE_BLOCK);
    }

    private static void packed(Config quantization) {
        quantization.onlyWord("format", "pack-quantized");
        if (quantization.has("kv_cache_scheme")) {
            throw quantization.refuse("kv_cache_scheme", "a quantised cache is not understood");
        }
        Config groups = quantization.nested("config_groups");
        Config group = groups == null ? null : groups.nested("group_0");
        Config weights = group == null ? null : group.nested("weights");
        if (groups == null || group == null || weights == null) {
            throw quantization.refuse("config_groups", "must say of group_0 what its weights are");
        }
        groups.refuseUnread(Set.of());
        group.only("targets", "Linear");
        group.refuseUnread(Set.of()); // activations must be null
        weights.only("num_bits", 4);
        weights.onlyWord("type", "int");
        weights.onlyWord("strategy", "group");
        weights.only("group_size", GROUP_COLUMNS);
        weights.onlyFlag("symmetric", true);
        weights.onlyFlag("dynamic", false);
        weights.refuseUnread(Set.of("observer", "observer_kwargs", "zp_dtype", "scale_dtype"));
    }
}
