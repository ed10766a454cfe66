package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.Golden;
import org.bergfried.worker.weights.GgufBytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is wrong with a model is said with its file, name and value.
class BadModelsTest {
    @TempDir
    Path directory;

    @Test
    void namesAnUnknownArchitectureAndTheKnownOnes() throws IOException {
        Path model = copy("llama", "\"model_type\": \"llama\"", "\"model_type\": \"mamba2\"");
        refused(model, ErrorReason.MODEL_UNSUPPORTED, "model_type = mamba2 is not understood");
        refused(model, ErrorReason.MODEL_UNSUPPORTED, "deepseek_v3, kimi_k2, glm4_moe_lite, deepseek_v2, qwen3_moe");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "llama | \"attn_logit_softcapping\": 30.0 | attn_logit_softcapping = 30.0: this field is not",
                "llama | \"quantization_config\": {\"quant_method\": \"gptq\"} | quant_method = \"gptq\": understood",
                "llama | \"quantization_config\": {\"quant_method\": \"fp8\"} | weight_block_size is missing: only",
                "llama | \"quantization_config\": {\"quant_method\": \"mxfp4\", \"bits\": 3} | bits = 3: this field",
                "llama | \"hidden_act\": \"gelu\" | hidden_act = \"gelu\": only \"silu\" is understood",
                "llama | \"mlp_bias\": true | mlp_bias = true",
                "llama | \"hidden_size\": 1e999 | hidden_size = ",
                "llama | \"hidden_size\": 64.5 | hidden_size = 64.5: must be a whole number",
                "llama | \"num_hidden_layers\": 1000000000 | num_hidden_layers = 1000000000: must be",
                "llama | \"num_key_value_heads\": 3 | num_key_value_heads = 3: must divide num_attention_heads = 4",
                "llama | \"rms_norm_eps\": 1e999 | rms_norm_eps = ",
                "llama | \"rms_norm_eps\": null | rms_norm_eps = null: it must be a number",
                "llama | \"rope_parameters\": {\"rope_type\": \"linear\", \"factor\": 2.0} | rope_type = \"linear\"",
                "llama | \"rope_parameters\": {\"rope_type\": \"default\", \"short_factor\": [1]} | short_factor = [1]",
                "llama | \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2.0} | rope_scaling = ",
                "llama | \"rope_parameters\": {\"rope_type\": \"yarn\", \"factor\": 0} | factor = 0: must be",
                "qwen3 | \"use_sliding_window\": true | use_sliding_window = true",
                "qwen3 | \"layer_types\": [\"sliding_attention\"] | layer_types = [\"sliding_attention\"]",
                "qwen3_moe | \"num_experts_per_tok\": 9 | num_experts_per_tok = 9: must be a whole number from 1 to 8",
                "deepseek_v3 | \"scoring_func\": \"softmax\" | scoring_func = \"softmax\": only \"sigmoid\"",
                "deepseek_v3 | \"n_group\": 3 | n_group = 3: must divide the 8 experts",
                "deepseek_v3 | \"n_group\": 8 | n_group = 8: must leave at least two experts",
                "deepseek_v3 | \"attention_bias\": true | attention_bias = true",
                "deepseek_v3 | \"qk_head_dim\": 50 | qk_head_dim = 50",
                "deepseek_v3 | \"num_attention_heads\": 65536 | tensor model.layers.0.self_attn.kv_b_proj",
                "deepseek_v2 | \"norm_topk_prob\": true | norm_topk_prob = true: only false is understood",
                "deepseek_v2 | \"topk_method\": \"random\" | topk_method = \"random\": understood are greedy",
            })
    void namesAFieldThatIsNotUnderstoodWithItsValue(String name, String field, String part) throws IOException {
        Path model = copy(name, "{", "{");
        Path config = model.resolve("config.json");
        String key = field.substring(0, field.indexOf(':'));
        String text = Files.readString(config).replaceAll("(?s)" + key + ": (\\{[^}]*}|\\[[^]]*]|[^,}]*),?", "");
        Files.writeString(config, text.replaceFirst("\\{", "{" + field + ","));
        ClusterException refusal = assertThrows(ClusterException.class, () -> open(model));
        assertTrue(refusal.text().contains(part), refusal.text());
    }

    @Test
    void namesAMissingTensorItsShapeAndTheFile() throws IOException {
        Path model = copy("qwen3_moe", "{", "{");
        rename(model, "experts.7.up_proj", "experts.9.up_proj", "model.layers.2.mlp.");
        refused(
                model,
                ErrorReason.WEIGHTS_CORRUPT,
                "tensor model.layers.2.mlp.experts.7.up_proj.weight is missing; it must have the shape [32, 64]");
    }

    @Test
    void namesATensorThatHasNoPart() throws IOException {
        Path model = copy("llama", "{", "{");
        rename(model, "lm_head.weight", "lm_heap.weight", "");
        Path config = model.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config).replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));
        refused(model, ErrorReason.MODEL_UNSUPPORTED, "tensor lm_heap.weight has no part in this architecture");
    }

    @Test
    void namesATensorOfTheWrongShape() throws IOException {
        Path model = copy("llama", "\"intermediate_size\": 96", "\"intermediate_size\": 128");
        refused(
                model,
                ErrorReason.WEIGHTS_CORRUPT,
                "tensor model.layers.0.mlp.gate_proj.weight has the shape [96, 64]; the configuration needs [128, 64]");
    }

    @Test
    void refusesAConfigurationNestedTooDeep() throws IOException {
        Path model = copy("llama", "{", "{\"x\": " + "[".repeat(10_000));
        refused(
                model,
                ErrorReason.WEIGHTS_CORRUPT,
                "config.json: is no valid JSON: Document nesting depth (65) exceeds");
    }

    @Test
    void saysWhatIsMissingInADirectory() throws IOException {
        refused(directory.resolve("nothing"), ErrorReason.MODEL_NOT_FOUND, "no model directory");
        Path empty = Files.createDirectory(directory.resolve("empty"));
        refused(empty, ErrorReason.MODEL_NOT_FOUND, "neither config.json nor safetensors");
        Files.write(empty.resolve("a.gguf"), new byte[0]);
        Files.write(empty.resolve("b.gguf"), new byte[0]);
        refused(empty, ErrorReason.MODEL_UNSUPPORTED, "has 2 .gguf files; give one of them");
    }

    @Test
    void prefersSafetensorsAndElseTakesTheOnlyGguf() throws IOException {
        Path model = copy("llama", "{", "{");
        Files.copy(Golden.path("tiny-dsv2-Q4_0.gguf"), model.resolve("other.gguf"));
        try (Model open = Models.open(model)) {
            assertEquals("llama", open.spec().family());
        }
        Files.delete(model.resolve("model.safetensors"));
        try (Model open = Models.open(model)) {
            assertEquals("deepseek2", open.spec().family());
        }
    }

    @Test
    void namesAGgufsArchitectureFieldsAndTypes() throws IOException {
        refusedGguf(new GgufBytes().text("general.architecture", "mamba"), "general.architecture = mamba is not");
        refusedGguf(new GgufBytes(), "understood are deepseek2, llama, qwen2, qwen2moe, qwen3, qwen3moe, olmoe,");
        refusedGguf(llama().float32("llama.logit_scale", 2f), "llama.logit_scale = 2.0: this field is not understood");
        refusedGguf(
                llama().words("llama.attention.head_count_kv", 5, 1, 2), "llama.attention.head_count_kv = an array");
        refusedGguf(llama().uint32("llama.rope.dimension_count", 4), "llama.rope.dimension_count = 4: RoPE on part");
        refusedGguf(llama().float32("llama.rope.scaling.factor", 4f), "llama.rope.scaling.type = \"linear\"");
        refusedGguf(llama().uint32("split.count", 3), "split.count = 3, and its name does not end in -00001-of-00003");
        refusedGguf(llama(), "tensor token_embd.weight is missing");
    }

    @Test
    void namesAGgufsFieldsThatTheFamilyDoesNotHave() throws IOException {
        refusedGguf(gguf("glm4moe").uint32("glm4moe.expert_gating_func", 1), "glm4moe.expert_gating_func = 1");
        refusedGguf(gguf("olmoe").uint32("olmoe.expert_gating_func", 2), "olmoe.expert_gating_func = 2");
        refusedGguf(gguf("olmoe").uint32("olmoe.attention.sliding_window", 8), "olmoe.attention.sliding_window = 8");
        refusedGguf(gguf("olmoe").float32("olmoe.residual_scale", 2), "olmoe.residual_scale = 2.0");
        refusedGguf(gguf("gpt-oss").uint32("gpt-oss.rope.dimension_count", 8), "gpt-oss.rope.dimension_count = 8");
        refusedGguf(
                gguf("granitemoe").flag("granitemoe.rope.scaling.finetuned", false),
                "granitemoe.rope.scaling.finetuned = false: granite without RoPE");
        refusedGguf(
                gguf("exaone-moe").uint32("exaone-moe.attention.sliding_window", 8),
                "exaone-moe.attention.sliding_window_pattern is missing");
        refusedGguf(
                gguf("exaone-moe").flags("exaone-moe.attention.sliding_window_pattern", (byte) 1),
                "exaone-moe.attention.sliding_window_pattern = an array of 1 truth values: must be");
    }

    private static GgufBytes gguf(String architecture) {
        return new GgufBytes()
                .text("general.architecture", architecture)
                .uint32(architecture + ".vocab_size", 64)
                .uint32(architecture + ".context_length", 32)
                .uint32(architecture + ".embedding_length", 64)
                .uint32(architecture + ".block_count", 2)
                .uint32(architecture + ".feed_forward_length", 64)
                .uint32(architecture + ".expert_count", 4)
                .uint32(architecture + ".expert_used_count", 2)
                .float32(architecture + ".expert_weights_scale", 1f)
                .uint32(architecture + ".attention.head_count", 4)
                .float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
    }

    @Test
    void namesAGgufThatHasKvBInOnePiece() throws IOException {
        GgufBytes gguf = new GgufBytes()
                .text("general.architecture", "deepseek2")
                .uint32("deepseek2.rope.dimension_count", 16)
                .tensor("blk.0.attn_kv_b.weight", 0, 0, 8)
                .data(32);
        refusedGguf(gguf, "has only blk.0.attn_kv_b.weight; convert the model");
    }

    @Test
    void namesAnUnknownPreTokenizer() throws IOException {
        Path file = directory.resolve("vocabulary.gguf");
        Files.write(
                file,
                new GgufBytes()
                        .text("general.architecture", "llama")
                        .text("tokenizer.ggml.model", "gpt2")
                        .text("tokenizer.ggml.pre", "unheard-of")
                        .texts("tokenizer.ggml.tokens", List.of("a"))
                        .bytes());
        ClusterException refusal = assertThrows(ClusterException.class, () -> ModelTexts.open(file));
        assertEquals(ErrorReason.MODEL_UNSUPPORTED, refusal.reason());
        assertTrue(refusal.text().contains("tokenizer.ggml.pre = unheard-of is not understood"), refusal.text());
    }

    private static GgufBytes llama() {
        return new GgufBytes()
                .text("general.architecture", "llama")
                .uint32("llama.vocab_size", 16)
                .uint32("llama.context_length", 32)
                .uint32("llama.embedding_length", 64)
                .uint32("llama.block_count", 1)
                .uint32("llama.feed_forward_length", 64)
                .uint32("llama.attention.head_count", 8)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    }

    private void refusedGguf(GgufBytes gguf, String part) throws IOException {
        Path file = directory.resolve("model.gguf");
        Files.write(file, gguf.bytes());
        ClusterException refusal = assertThrows(ClusterException.class, () -> open(file));
        assertTrue(refusal.text().startsWith(file + ": "), refusal.text());
        assertTrue(refusal.text().contains(part), refusal.text());
    }

    private static void refused(Path model, ErrorReason reason, String part) {
        ClusterException refusal = assertThrows(ClusterException.class, () -> open(model));
        assertEquals(reason, refusal.reason());
        assertTrue(refusal.text().contains(model.getFileName().toString()), refusal.text());
        assertTrue(refusal.text().contains(part), refusal.text());
    }

    private static void open(Path model) {
        Models.open(model).close();
    }

    /// A copy of a golden model with one change in its config.json.
    private Path copy(String name, String from, String to) throws IOException {
        Path copy = Files.createDirectory(directory.resolve(name + "-copy"));
        Files.copy(Golden.path(name).resolve("model.safetensors"), copy.resolve("model.safetensors"));
        String config = Files.readString(Golden.path(name).resolve("config.json"));
        assertTrue(config.contains(from), "the configuration holds what is to be changed");
        int at = config.indexOf(from);
        Files.writeString(
                copy.resolve("config.json"), config.substring(0, at) + to + config.substring(at + from.length()));
        return copy;
    }

    /// Renames a tensor in the header, by a name of the same length.
    private static void rename(Path model, String from, String to, String prefix) throws IOException {
        Path file = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        String header = new String(bytes, 8, length, StandardCharsets.UTF_8);
        assertTrue(header.contains(prefix + from), "the tensor is there");
        byte[] renamed = header.replace(prefix + from, prefix + to).getBytes(StandardCharsets.UTF_8);
        assertEquals(length, renamed.length);
        System.arraycopy(renamed, 0, bytes, 8, length);
        Files.write(file, bytes);
    }
}
