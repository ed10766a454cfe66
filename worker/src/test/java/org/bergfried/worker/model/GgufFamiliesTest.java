package org.bergfried.worker.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bergfried.worker.Golden;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.GgufBytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Golden models packed anew as GGUF, with the names and fields that llama.cpp's converter gives them: the same facts
/// and
/// the same tensors, so the logits of the golden model.
class GgufFamiliesTest {
    private static final int BF16 = 30;
    private static final int ALIGNMENT = 32;

    @TempDir
    Path directory;

    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    @Test
    void readsQwen2() throws IOException {
        assertSame("qwen2", fields("qwen2"));
    }

    @Test
    void readsQwen2Moe() throws IOException {
        assertSame(
                "qwen2_moe",
                fields("qwen2moe")
                        .uint32("qwen2moe.expert_count", 8)
                        .uint32("qwen2moe.expert_used_count", 2)
                        .uint32("qwen2moe.expert_feed_forward_length", 32)
                        .uint32("qwen2moe.expert_shared_feed_forward_length", 64));
    }

    private static GgufBytes fields(String architecture) {
        return new GgufBytes()
                .text("general.architecture", architecture)
                .uint32(architecture + ".context_length", 512)
                .uint32(architecture + ".embedding_length", 64)
                .uint32(architecture + ".block_count", 3)
                .uint32(architecture + ".feed_forward_length", 96)
                .uint32(architecture + ".attention.head_count", 4)
                .uint32(architecture + ".attention.head_count_kv", 2)
                .float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-6f)
                .float32(architecture + ".rope.freq_base", 10000f);
    }

    private void assertSame(String name, GgufBytes gguf) throws IOException {
        try (Model golden = Models.open(Golden.path(name))) {
            for (StoredTensor tensor : golden.trunk().tensors()) {
                add(gguf, ggufName(name, tensor.name()), tensor.shape(), List.of(tensor));
            }
            for (int layer : golden.spec().moeLayers()) {
                addExperts(gguf, golden, layer);
            }
            Path file = directory.resolve(name + ".gguf");
            Files.write(
                    file, gguf.dataStart(data.toByteArray()).data(data.size()).bytes());
            try (Model packed = Models.open(file)) {
                assertSameFacts(golden.spec(), packed.spec());
                assertSameTensors(golden.trunk().tensors(), packed.trunk().tensors());
                for (int layer : golden.spec().moeLayers()) {
                    assertSameTensors(
                            golden.expert(layer, 7).tensors(),
                            packed.expert(layer, 7).tensors());
                }
            }
        }
    }

    private static String ggufName(String family, String name) {
        var names = new Names(Form.SAFETENSORS, Families.named(Path.of(family), family));
        for (Part part : Part.values()) {
            if (name.equals(names.of(part))) {
                return part.name(Form.GGUF);
            }
            for (int layer = 0; layer < 3; layer++) {
                if (name.equals(names.of(part, layer))) {
                    return part.name(Form.GGUF, layer);
                }
            }
        }
        throw new AssertionError(name + " plays no part");
    }

    private void addExperts(GgufBytes gguf, Model golden, int layer) {
        List<Part> parts = List.of(Part.MERGED_GATE_PROJ, Part.MERGED_UP_PROJ, Part.MERGED_DOWN_PROJ);
        for (int i = 0; i < parts.size(); i++) {
            var ofAll = new ArrayList<StoredTensor>();
            for (int expert = 0; expert < 8; expert++) {
                ofAll.add(golden.expert(layer, expert).tensors().get(i));
            }
            var shape = new ArrayList<>(List.of(8));
            shape.addAll(ofAll.getFirst().shape());
            add(gguf, parts.get(i).name(Form.GGUF, layer), shape, ofAll);
        }
    }

    /// Sizes go innermost first, and those of 1 outside are left away.
    private void add(GgufBytes gguf, String name, List<Integer> shape, List<StoredTensor> tensors) {
        long[] sizes = shape.reversed().stream().mapToLong(size -> size).toArray();
        int count = sizes.length > 1 && sizes[sizes.length - 1] == 1 ? sizes.length - 1 : sizes.length;
        gguf.tensor(name, BF16, data.size(), Arrays.copyOf(sizes, count));
        for (StoredTensor tensor : tensors) {
            data.writeBytes(tensor.bytes().toArray(ValueLayout.JAVA_BYTE));
        }
        data.writeBytes(new byte[(ALIGNMENT - data.size() % ALIGNMENT) % ALIGNMENT]);
    }

    private static void assertSameFacts(ModelSpec golden, ModelSpec packed) {
        assertEquals(golden.vocabularySize(), packed.vocabularySize());
        assertEquals(golden.normEpsilon(), packed.normEpsilon());
        assertEquals(golden.attention(), packed.attention());
        assertEquals(golden.rope(), packed.rope());
        assertEquals(golden.layers(), packed.layers());
        assertEquals(golden.spans(), packed.spans());
        assertEquals(golden.tiedHead(), packed.tiedHead());
    }

    private static void assertSameTensors(List<StoredTensor> golden, List<StoredTensor> packed) {
        assertEquals(golden.size(), packed.size());
        for (int i = 0; i < golden.size(); i++) {
            assertEquals(
                    golden.get(i).type(), packed.get(i).type(), golden.get(i).name());
            assertArrayEquals(
                    golden.get(i).bytes().toArray(ValueLayout.JAVA_BYTE),
                    packed.get(i).bytes().toArray(ValueLayout.JAVA_BYTE),
                    golden.get(i).name());
        }
    }
}
