package org.bergfried.worker.model;

import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.Limits;

/// Turns a configuration into a [ModelSpec], and refuses what it does not understand.
final class SpecReader {
    // Bounds on what a configuration may claim, far above real models: they keep sizes in 31 bits and loops short.
    private static final int VOCABULARY_MAX = 1 << 24;
    private static final int COLUMNS_MAX = 1 << 20;
    private static final int HEADS_MAX = 1 << 16;
    private static final int LAYERS_MAX = Limits.MOE_LAYERS;

    private final String name;
    private final Family family;
    private final Config config;

    private SpecReader(String name, Family family, Config config) {
        this.name = name;
        this.family = family;
        this.config = config;
    }

    /// Reads every field that matters.
    ///
    /// @param name   the `model_type` or GGUF architecture, for the result.
    /// @param config in our names, or with the family's as aliases.
    static Facts read(String name, Family family, Config config) {
        Facts facts = new SpecReader(name, family, config).facts();
        QuantizationReader.read(config);
        family.stated().forEach(config::only);
        family.harmless().forEach(config::value);
        config.refuseUnread(Families.HARMLESS_FIELDS);
        return facts;
    }

    private Facts facts() {
        boolean stated = config.flag("attention_bias", false);
        boolean inputBias = switch (family.biases()) {
            case ALL_IF_STATED, INPUTS_IF_STATED -> stated;
            case INPUTS -> config.flag("qkv_bias", true);
        };
        boolean norms = switch (family.norms()) {
            case NONE -> false;
            case HEADS, HEADS_AFTER_ROPE, WHOLE -> true;
            case HEADS_IF_STATED -> config.flag("use_qk_norm", false);
        };
        return new Facts(family, read(), inputBias, stated && family.biases() == Family.Biases.ALL_IF_STATED, norms);
    }

    private ModelSpec read() {
        config.onlyWord("hidden_act", "silu");
        config.onlyFlag("mlp_bias", false);
        refuseOtherAttention();
        int hiddenSize = config.count("hidden_size", COLUMNS_MAX);
        int contextLength = config.count("max_position_embeddings", Integer.MAX_VALUE);
        boolean interleaved = config.flag("rope_interleave", family.interleaved());
        RopeReader rope = RopeReader.read(config, contextLength);
        int rotaryColumns = rotaryColumns(hiddenSize, rope);
        List<FeedForwardSpec> layers = layers();
        return new ModelSpec(
                name,
                config.count("vocab_size", VOCABULARY_MAX),
                hiddenSize,
                contextLength,
                (float) config.number("rms_norm_eps"),
                attention(hiddenSize, rope),
                new RopeSpec(rotaryColumns, rope.theta(), interleaved, rope.scaling()),
                layers,
                config.flag("tie_word_embeddings", false),
                new SpanReader(family, config).spans(layers.size()),
                family.multipliers() ? multipliers() : Multipliers.NONE);
    }

    /// ARITHMETIC.md rule G: one product each; logits are stated by their divisor.
    private Multipliers multipliers() {
        return new Multipliers(
                (float) config.number("embedding_multiplier", 1),
                (float) config.number("residual_multiplier", 1),
                (float) (1 / config.number("logits_scaling", 1)));
    }

    private void refuseOtherAttention() {
        if (config.flag("attention_bias", false) && family.attention() == Family.Attention.LATENT) {
            throw config.refuse("attention_bias", "latent attention with biases is not understood");
        }
    }

    private int rotaryColumns(int hiddenSize, RopeReader rope) {
        boolean latent = family.attention() == Family.Attention.LATENT;
        if (latent && rope.part() != 1) {
            throw config.refuse("partial_rotary_factor", "only 1 is understood where the attention is latent");
        }
        int columns = latent ? config.count("qk_rope_head_dim", COLUMNS_MAX) : turned(headColumns(hiddenSize), rope);
        if (columns % 2 != 0) {
            throw config.refuse(latent ? "qk_rope_head_dim" : "head_dim", "the columns that turn must be even");
        }
        return columns;
    }

    /// The first columns of a head that turn: a share of them, or a number.
    private int turned(int columns, RopeReader rope) {
        if (rope.part() > 1) {
            throw config.refuse("partial_rotary_factor", "must be at most 1");
        }
        int share = (int) (columns * rope.part());
        int stated = config.count("rotary_dim", columns, share);
        if (rope.part() != 1 && stated != share) {
            throw config.refuse("rotary_dim", "must be partial_rotary_factor times the " + columns + " of a head");
        }
        return stated;
    }

    private int headColumns(int hiddenSize) {
        int heads = config.count("num_attention_heads", HEADS_MAX);
        if (!config.has("head_dim") && hiddenSize % heads != 0) {
            throw config.refuse("num_attention_heads", "must divide hidden_size = " + hiddenSize);
        }
        return config.count("head_dim", COLUMNS_MAX, hiddenSize / heads);
    }

    private AttentionSpec attention(int hiddenSize, RopeReader rope) {
        return switch (family.attention()) {
            case GROUPED -> grouped(hiddenSize);
            case LATENT -> latent(rope.keyScale());
        };
    }

    private AttentionSpec grouped(int hiddenSize) {
        int heads = config.count("num_attention_heads", HEADS_MAX);
        int kvHeads = config.count("num_key_value_heads", HEADS_MAX, heads);
        if (heads % kvHeads != 0) {
            throw config.refuse("num_key_value_heads", "must divide num_attention_heads = " + heads);
        }
        int columns = headColumns(hiddenSize);
        requireRows(heads, columns);
        float scale = family.multipliers() && config.has("attention_multiplier")
                ? (float) config.number("attention_multiplier")
                : scale(1, columns);
        boolean turnsFirst = family.norms() == Family.Norms.HEADS_AFTER_ROPE;
        return new AttentionSpec.Grouped(heads, kvHeads, columns, scale, turnsFirst);
    }

    private AttentionSpec latent(double keyScale) {
        config.value("num_key_value_heads"); // every head reads the one latent, whatever this says
        int nope = config.count("qk_nope_head_dim", COLUMNS_MAX);
        int rope = config.count("qk_rope_head_dim", COLUMNS_MAX);
        if (config.count("head_dim", COLUMNS_MAX, rope) != rope) {
            throw config.refuse("head_dim", "must be qk_rope_head_dim = " + rope + " where the attention is latent");
        }
        if (config.count("qk_head_dim", 2 * COLUMNS_MAX, nope + rope) != nope + rope) {
            throw config.refuse("qk_head_dim", "must be qk_nope_head_dim + qk_rope_head_dim = " + (nope + rope));
        }
        int heads = config.count("num_attention_heads", HEADS_MAX);
        int kvRank = config.count("kv_lora_rank", COLUMNS_MAX);
        int value = config.count("v_head_dim", COLUMNS_MAX);
        requireRows(heads, Math.max(kvRank, nope + Math.max(rope, value)));
        int queryRank = config.countOrZero("q_lora_rank", COLUMNS_MAX, 0);
        return new AttentionSpec.Latent(heads, queryRank, kvRank, nope, rope, value, scale(keyScale, nope + rope));
    }

    /// Rows of a matrix over all heads are counted in 31 bits.
    private void requireRows(int heads, int rowsOfHead) {
        if ((long) heads * rowsOfHead > Integer.MAX_VALUE) {
            throw config.refuse("num_attention_heads", "times " + rowsOfHead + " rows must be below 2^31");
        }
    }

    /// ARITHMETIC.md rule G: float(m^2 / sqrt(dqk)).
    private static float scale(double keyScale, int columns) {
        return (float) (keyScale * keyScale / Math.sqrt(columns));
    }

    private List<FeedForwardSpec> layers() {
        int count = config.count("num_hidden_layers", LAYERS_MAX);
        var mixtures = new MixtureReader(family, config);
        var layers = new ArrayList<FeedForwardSpec>();
        for (int layer = 0; layer < count; layer++) {
            layers.add(mixtures.isMixture(layer) ? mixtures.mixture() : dense());
        }
        config.value("intermediate_size"); // stated also where every layer is a mixture
        return layers;
    }

    private FeedForwardSpec dense() {
        return new FeedForwardSpec.Dense(config.count("intermediate_size", COLUMNS_MAX));
    }
}
