package org.bergfried.worker.model;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Architectures of GGUF files: how they are spelled, the family that they are, and what of them a GGUF does not state.
enum GgufArchitecture {
    /// DeepSeek V2; with a sigmoid gate also V3, R1, Kimi K2 and GLM 4.7 Flash.
    DEEPSEEK2("deepseek2", "deepseek_v2", Rope.PAIRS),
    /// Llama; with experts Mixtral.
    LLAMA("llama", "llama", Rope.PAIRS),
    QWEN2("qwen2", "qwen2", Rope.HALVES),
    QWEN2MOE("qwen2moe", "qwen2_moe", Rope.HALVES),
    QWEN3("qwen3", "qwen3", Rope.HALVES),
    QWEN3MOE("qwen3moe", "qwen3_moe", Rope.HALVES),
    OLMOE("olmoe", "olmoe", Rope.HALVES),
    GRANITEMOE("granitemoe", "granitemoe", Rope.PAIRS),
    GPT_OSS("gpt-oss", "gpt_oss", Rope.HALVES),
    GLM4MOE("glm4moe", "glm4_moe", Rope.HALVES_OF_PART),
    ERNIE4_5_MOE("ernie4_5-moe", "ernie4_5_moe", Rope.PAIRS),
    HUNYUAN_MOE("hunyuan-moe", "hunyuan_v1_moe", Rope.HALVES),
    MINIMAX_M2("minimax-m2", "minimax_m2", Rope.HALVES_OF_PART),
    DOTS1("dots1", "dots1", Rope.HALVES),
    EXAONE_MOE("exaone-moe", "exaone_moe", Rope.HALVES);

    /// How the rows of q and k lie for RoPE. Converters turn those of Llama and Granite round for pairs.
    enum Rope {
        /// Columns 2i and 2i + 1 turn together.
        PAIRS,
        /// Columns i and i + d / 2 turn together.
        HALVES,
        /// The same within the first `rope.dimension_count` columns of a head.
        HALVES_OF_PART
    }

    private final String spelled;
    private final String modelType;
    private final Rope rope;

    GgufArchitecture(String spelled, String modelType, Rope rope) {
        this.spelled = spelled;
        this.modelType = modelType;
        this.rope = rope;
    }

    /// The architecture of a name, or null.
    static @Nullable GgufArchitecture named(String name) {
        return Arrays.stream(values())
                .filter(architecture -> architecture.spelled.equals(name))
                .findFirst()
                .orElse(null);
    }

    /// The names that are understood.
    static List<String> names() {
        return Arrays.stream(values()).map(architecture -> architecture.spelled).toList();
    }

    /// `general.architecture`; fields of the architecture begin with it.
    String spelled() {
        return spelled;
    }

    /// The family in the table, where no field says another.
    String modelType() {
        return modelType;
    }

    /// Whether q and k are laid out for RoPE in pairs (2i, 2i+1).
    boolean interleaved() {
        return rope == Rope.PAIRS;
    }

    /// Whether RoPE may turn part of a head's columns.
    boolean turnsPart() {
        return rope == Rope.HALVES_OF_PART;
    }
}
