package org.bergfried.ops.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Models of random weights with the shapes of real ones and fewer layers, so that a benchmark needs no download. The
/// vocabulary is cut with the layers: the head keeps about the share of the work that it has in the whole model.
enum SyntheticModel {
    /// DeepSeek-V2-Lite (arXiv 2405.04434): latent attention, 64 experts of which 6 are chosen, 2 shared.
    DEEPSEEK_V2_LITE("deepseek-v2-lite", 4) {
        @Override
        void describe(Draft draft) {
            latent(draft, new Latent(2048, 16, 0, 512, 128, 64, 128));
            experts(draft, new Mixture(10944, 64, 6, 1408, 2, 1.0f, false, 1));
        }
    },
    /// Qwen3-30B-A3B (arXiv 2505.09388): grouped attention, 128 experts of which 8 are chosen.
    QWEN3_30B_A3B("qwen3-30b-a3b", 4) {
        @Override
        void describe(Draft draft) {
            draft.architecture = "qwen3moe";
            draft.put("embedding_length", 2048);
            draft.hidden = 2048;
            draft.put("attention.head_count", 32).put("attention.head_count_kv", 4);
            draft.put("attention.key_length", 128).put("attention.value_length", 128);
            draft.put("attention.layer_norm_rms_epsilon", 1e-6f).put("rope.freq_base", 1_000_000f);
            draft.put("feed_forward_length", 6144).put("expert_count", 128).put("expert_used_count", 8);
            draft.put("expert_feed_forward_length", 768);
            for (int layer = 0; layer < draft.layers; layer++) {
                String block = "blk." + layer + ".";
                draft.norm(block + "attn_norm.weight", 2048);
                draft.matrix(block + "attn_q.weight", 2048, 4096);
                draft.matrix(block + "attn_k.weight", 2048, 512);
                draft.sensitive(layer, "attn_v.weight", 2048, 512);
                draft.norm(block + "attn_q_norm.weight", 128);
                draft.norm(block + "attn_k_norm.weight", 128);
                draft.matrix(block + "attn_output.weight", 4096, 2048);
                draft.norm(block + "ffn_norm.weight", 2048);
                draft.floats(block + "ffn_gate_inp.weight", 2048, 128);
                draft.matrix(block + "ffn_gate_exps.weight", 2048, 768, 128);
                draft.matrix(block + "ffn_up_exps.weight", 2048, 768, 128);
                draft.sensitive(layer, "ffn_down_exps.weight", 768, 2048, 128);
            }
        }
    },
    /// DeepSeek-V3's architecture (arXiv 2412.19437) at half its width: 256 experts in 8 groups, 8 chosen, 1 shared.
    DEEPSEEK_V3_SMALL("deepseek-v3-small", 2) {
        @Override
        void describe(Draft draft) {
            latent(draft, new Latent(3584, 64, 768, 512, 128, 64, 128));
            experts(draft, new Mixture(9216, 256, 8, 1024, 1, 2.5f, true, 8));
        }
    };

    private static final int VOCABULARY = 16384;
    private static final int CONTEXT = 4096;

    private final String title;
    private final int layers;

    SyntheticModel(String title, int layers) {
        this.title = title;
        this.layers = layers;
    }

    /// As the command line names it.
    String title() {
        return title;
    }

    /// Layers where nobody asks for another number.
    int layers() {
        return layers;
    }

    /// The model as a file to write.
    ///
    /// @param mix    how its matrices are coded.
    /// @param layers at least 2: the first of DeepSeek is dense.
    GgufWriter draft(Mix mix, int layers) {
        var draft = new Draft(mix, layers);
        describe(draft);
        return draft.finish("synthetic-" + title);
    }

    abstract void describe(Draft draft);

    /// Multi-head latent attention.
    private record Latent(int hidden, int heads, int queryRank, int rank, int nope, int rope, int value) {}

    /// Feed-forward parts: the first layer is dense, the others are mixtures.
    private record Mixture(
            int dense, int experts, int chosen, int width, int shared, float scale, boolean isV3, int groups) {}

    private static void latent(Draft draft, Latent a) {
        draft.architecture = "deepseek2";
        draft.hidden = a.hidden;
        draft.put("embedding_length", a.hidden).put("attention.head_count", a.heads);
        draft.put("attention.head_count_kv", 1).put("attention.layer_norm_rms_epsilon", 1e-6f);
        draft.put("rope.freq_base", 10000f).put("rope.dimension_count", a.rope);
        draft.put("attention.q_lora_rank", a.queryRank).put("attention.kv_lora_rank", a.rank);
        draft.put("attention.key_length", a.rank + a.rope).put("attention.value_length", a.rank);
        draft.put("attention.key_length_mla", a.nope + a.rope).put("attention.value_length_mla", a.value);
        for (int layer = 0; layer < draft.layers; layer++) {
            String block = "blk." + layer + ".";
            draft.norm(block + "attn_norm.weight", a.hidden);
            int queries = a.heads * (a.nope + a.rope);
            if (a.queryRank == 0) {
                draft.matrix(block + "attn_q.weight", a.hidden, queries);
            } else {
                draft.matrix(block + "attn_q_a.weight", a.hidden, a.queryRank);
                draft.norm(block + "attn_q_a_norm.weight", a.queryRank);
                draft.matrix(block + "attn_q_b.weight", a.queryRank, queries);
            }
            draft.matrix(block + "attn_kv_a_mqa.weight", a.hidden, a.rank + a.rope);
            draft.norm(block + "attn_kv_a_norm.weight", a.rank);
            draft.matrix(block + "attn_k_b.weight", a.nope, a.rank, a.heads);
            draft.matrix(block + "attn_v_b.weight", a.rank, a.value, a.heads);
            draft.matrix(block + "attn_output.weight", a.heads * a.value, a.hidden);
            draft.norm(block + "ffn_norm.weight", a.hidden);
        }
    }

    private static void experts(Draft draft, Mixture m) {
        int hidden = draft.hidden;
        draft.put("feed_forward_length", m.dense).put("leading_dense_block_count", 1);
        draft.put("expert_count", m.experts).put("expert_used_count", m.chosen);
        draft.put("expert_feed_forward_length", m.width).put("expert_shared_count", m.shared);
        draft.put("expert_weights_scale", m.scale).put("expert_weights_norm", m.isV3);
        draft.put("expert_gating_func", m.isV3 ? 2 : 1);
        if (m.groups > 1) {
            draft.put("expert_group_count", m.groups).put("expert_group_used_count", m.groups / 2);
        }
        draft.matrix("blk.0.ffn_gate.weight", hidden, m.dense);
        draft.matrix("blk.0.ffn_up.weight", hidden, m.dense);
        draft.sensitive(0, "ffn_down.weight", m.dense, hidden);
        for (int layer = 1; layer < draft.layers; layer++) {
            String block = "blk." + layer + ".";
            draft.floats(block + "ffn_gate_inp.weight", hidden, m.experts);
            if (m.isV3) {
                draft.norm(block + "exp_probs_b.bias", m.experts);
            }
            draft.matrix(block + "ffn_gate_exps.weight", hidden, m.width, m.experts);
            draft.matrix(block + "ffn_up_exps.weight", hidden, m.width, m.experts);
            draft.sensitive(layer, "ffn_down_exps.weight", m.width, hidden, m.experts);
            draft.matrix(block + "ffn_gate_shexp.weight", hidden, m.shared * m.width);
            draft.matrix(block + "ffn_up_shexp.weight", hidden, m.shared * m.width);
            draft.sensitive(layer, "ffn_down_shexp.weight", m.shared * m.width, hidden);
        }
    }

    /// A file in the making.
    static final class Draft {
        private final GgufWriter file = new GgufWriter();
        private final List<Entry> entries = new ArrayList<>();
        private final Mix mix;
        private final int layers;
        private String architecture = "";
        private int hidden;

        private record Entry(String key, Object value) {}

        Draft(Mix mix, int layers) {
            this.mix = mix;
            this.layers = layers;
        }

        private Draft put(String key, Object value) {
            entries.add(new Entry(key, value));
            return this;
        }

        private void norm(String name, int columns) {
            file.tensor(name, WeightType.F32, columns);
        }

        private void floats(String name, Integer... shape) {
            file.tensor(name, WeightType.F32, shape);
        }

        private void matrix(String name, Integer... shape) {
            file.tensor(name, mix.most(), shape);
        }

        private void sensitive(int layer, String name, Integer... shape) {
            file.tensor("blk." + layer + "." + name, mix.sensitive(layer, layers), shape);
        }

        private GgufWriter finish(String name) {
            file.put("general.architecture", architecture).put("general.name", name);
            put("context_length", CONTEXT).put("block_count", layers).put("vocab_size", VOCABULARY);
            entries.forEach(entry -> file.put(architecture + "." + entry.key, entry.value));
            vocabulary();
            matrix("token_embd.weight", hidden, VOCABULARY);
            norm("output_norm.weight", hidden);
            file.tensor("output.weight", mix.head(), hidden, VOCABULARY);
            return file;
        }

        /// A SentencePiece vocabulary: three special tokens, the bytes, then words without meaning.
        private void vocabulary() {
            List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
            List<Integer> kinds = new ArrayList<>(List.of(2, 3, 3));
            for (int value = 0; value < 256; value++) {
                tokens.add(String.format("<0x%02X>", value));
                kinds.add(6);
            }
            while (tokens.size() < VOCABULARY) {
                tokens.add("\u2581w" + tokens.size());
                kinds.add(1);
            }
            file.put("tokenizer.ggml.model", "llama").put("tokenizer.ggml.tokens", tokens);
            file.put(
                    "tokenizer.ggml.scores",
                    IntStream.range(0, VOCABULARY).mapToObj(id -> -(float) id).toList());
            file.put("tokenizer.ggml.token_type", kinds);
            file.put("tokenizer.ggml.bos_token_id", 1).put("tokenizer.ggml.eos_token_id", 2);
            file.put("tokenizer.ggml.unknown_token_id", 0);
        }
    }
}
