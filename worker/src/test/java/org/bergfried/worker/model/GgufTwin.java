package org.bergfried.worker.model;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.bergfried.worker.Golden;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.GgufBytes;

/// A golden model packed anew as GGUF: the same numbers with the names and layouts that llama.cpp's converter gives
/// them (fields by [GgufTwinFields]).
public final class GgufTwin {
    /// How a file holds the experts of a layer.
    public enum Experts {
        /// A tensor for all gates, all ups and all downs.
        MERGED,
        /// Gate and up in one.
        FUSED,
        /// One tensor for each expert and matrix.
        SINGLE
    }

    private static final int ALIGNMENT = 32;
    /// Architectures whose rows of q and k the converter turns round for RoPE in pairs.
    private static final Set<String> TURNED = Set.of("llama", "granitemoe");

    private final String family;
    private final String architecture;
    private final Model golden;
    private final Experts layout;
    private final GgufBytes gguf;
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    private GgufTwin(String family, String architecture, Model golden, Experts layout, GgufBytes gguf) {
        this.family = family;
        this.architecture = architecture;
        this.golden = golden;
        this.layout = layout;
        this.gguf = gguf;
    }

    /// Writes the twin of a golden model.
    ///
    /// @param name         of the golden model.
    /// @param architecture GGUF's name of it.
    public static void write(String name, String architecture, Experts layout, Path file) throws IOException {
        var config = Golden.json(Golden.path(name).resolve("config.json"));
        try (Model golden = Models.open(Golden.path(name))) {
            String family = config.get("model_type").stringValue();
            GgufBytes fields = new GgufTwinFields(architecture, config).write();
            var twin = new GgufTwin(family, architecture, golden, layout, fields);
            float[] divisors = GgufTwinFields.divisors(config);
            if (divisors.length > 0) {
                twin.add("rope_freqs.weight", List.of(divisors.length), ElementType.F32, GgufBytes.floats(divisors));
            }
            Files.write(file, twin.bytes());
        }
    }

    private byte[] bytes() {
        List<TrunkTensors.Layer> layers = golden.trunk().layers();
        for (StoredTensor tensor : golden.trunk().tensors()) {
            if (!tensor.name().contains("#")) { // parts of kv_b
                addNamed(tensor);
            }
        }
        for (int layer = 0; layer < layers.size(); layer++) {
            if (layers.get(layer).attention() instanceof TrunkTensors.Latent latent) {
                addAll("blk." + layer + ".attn_k_b.weight", latent.keyUp());
                addAll("blk." + layer + ".attn_v_b.weight", latent.valueUp());
            }
        }
        for (int layer : golden.spec().moeLayers()) {
            addExperts(layer);
        }
        return gguf.dataStart(data.toByteArray()).data(data.size()).bytes();
    }

    private void addNamed(StoredTensor tensor) {
        String name = ggufName(tensor.name());
        if (TURNED.contains(architecture) && name.endsWith(".attn_q.weight")) {
            add(name, tensor.shape(), tensor.type(), forPairs(tensor, heads().heads()));
        } else if (TURNED.contains(architecture) && name.endsWith(".attn_k.weight")) {
            add(name, tensor.shape(), tensor.type(), forPairs(tensor, heads().kvHeads()));
        } else {
            add(name, tensor.shape(), tensor.type(), bytes(tensor));
        }
    }

    private AttentionSpec.Grouped heads() {
        return (AttentionSpec.Grouped) golden.spec().attention();
    }

    /// Of each head, row i becomes row 2i and row i + d/2 becomes row 2i + 1.
    private static byte[] forPairs(StoredTensor tensor, int heads) {
        byte[] from = bytes(tensor);
        var to = new byte[from.length];
        int rowBytes = from.length / tensor.rows();
        int half = tensor.rows() / heads / 2;
        for (int head = 0; head < heads; head++) {
            for (int i = 0; i < 2 * half; i++) {
                int source = 2 * half * head + (i % 2 == 0 ? i / 2 : half + i / 2);
                System.arraycopy(from, source * rowBytes, to, (2 * half * head + i) * rowBytes, rowBytes);
            }
        }
        return to;
    }

    private String ggufName(String name) {
        Family row = Families.named(Path.of(family), family);
        var names = new Names(Form.SAFETENSORS, row);
        var ggufNames = new Names(Form.GGUF, row);
        for (Part part : Part.values()) {
            if (name.equals(names.of(part))) {
                return ggufNames.of(part);
            }
            for (int layer = 0; layer < golden.spec().layers().size(); layer++) {
                if (name.equals(names.of(part, layer))) {
                    return ggufNames.of(part, layer);
                }
            }
        }
        throw new AssertionError(name + " plays no part");
    }

    private void addExperts(int layer) {
        var gates = new ArrayList<StoredTensor>();
        var ups = new ArrayList<StoredTensor>();
        var downs = new ArrayList<StoredTensor>();
        var biases = new ArrayList<TrunkTensors.Biases>();
        int experts =
                ((FeedForwardSpec.Moe) golden.spec().layers().get(layer)).gate().experts();
        for (int expert = 0; expert < experts; expert++) {
            TrunkTensors.SwiGlu matrices = golden.expert(layer, expert);
            gates.add(matrices.gateProj());
            ups.add(matrices.upProj());
            downs.add(matrices.downProj());
            if (matrices.biases() != null) {
                biases.add(matrices.biases());
            }
        }
        switch (layout) {
            case MERGED -> {
                addAll("blk." + layer + ".ffn_gate_exps.weight", gates);
                addAll("blk." + layer + ".ffn_up_exps.weight", ups);
                addAll("blk." + layer + ".ffn_down_exps.weight", downs);
            }
            case FUSED -> addFused(layer, gates, ups, downs);
            case SINGLE -> {
                for (int expert = 0; expert < experts; expert++) {
                    addOne("blk." + layer + ".ffn_gate." + expert + ".weight", gates.get(expert));
                    addOne("blk." + layer + ".ffn_up." + expert + ".weight", ups.get(expert));
                    addOne("blk." + layer + ".ffn_down." + expert + ".weight", downs.get(expert));
                }
            }
        }
        addBiases(layer, biases);
    }

    private void addFused(int layer, List<StoredTensor> gates, List<StoredTensor> ups, List<StoredTensor> downs) {
        var both = new ByteArrayOutputStream();
        for (int expert = 0; expert < gates.size(); expert++) {
            both.writeBytes(bytes(gates.get(expert)));
            both.writeBytes(bytes(ups.get(expert)));
        }
        StoredTensor gate = gates.getFirst();
        List<Integer> shape = List.of(gates.size(), 2 * gate.rows(), gate.columns());
        add("blk." + layer + ".ffn_gate_up_exps.weight", shape, gate.type(), both.toByteArray());
        addAll("blk." + layer + ".ffn_down_exps.weight", downs);
    }

    private void addBiases(int layer, List<TrunkTensors.Biases> biases) {
        if (!biases.isEmpty()) {
            String exps = "blk." + layer + ".ffn_";
            addRows(
                    exps + "gate_exps.bias",
                    biases.stream().map(TrunkTensors.Biases::gate).toList());
            addRows(
                    exps + "up_exps.bias",
                    biases.stream().map(TrunkTensors.Biases::up).toList());
            addRows(
                    exps + "down_exps.bias",
                    biases.stream().map(TrunkTensors.Biases::down).toList());
        }
    }

    private void addOne(String name, StoredTensor tensor) {
        add(name, tensor.shape(), tensor.type(), bytes(tensor));
    }

    /// Matrices of the same shape in one tensor.
    private void addAll(String name, List<StoredTensor> tensors) {
        StoredTensor first = tensors.getFirst();
        add(name, List.of(tensors.size(), first.rows(), first.columns()), first.type(), joined(tensors));
    }

    private void addRows(String name, List<StoredTensor> rows) {
        StoredTensor first = rows.getFirst();
        add(name, List.of(rows.size(), first.columns()), first.type(), joined(rows));
    }

    private static byte[] joined(List<StoredTensor> tensors) {
        var all = new ByteArrayOutputStream();
        tensors.forEach(tensor -> all.writeBytes(bytes(tensor)));
        return all.toByteArray();
    }

    /// Sizes go innermost first, and those of 1 outside are left away.
    private void add(String name, List<Integer> shape, ElementType type, byte[] bytes) {
        long[] sizes = shape.reversed().stream().mapToLong(size -> size).toArray();
        int count = sizes.length > 1 && sizes[sizes.length - 1] == 1 ? sizes.length - 1 : sizes.length;
        gguf.tensor(name, number(type), data.size(), Arrays.copyOf(sizes, count));
        data.writeBytes(bytes);
        data.writeBytes(new byte[(ALIGNMENT - data.size() % ALIGNMENT) % ALIGNMENT]);
    }

    /// ggml's number of a type. Published gpt-oss's blocks are also those of GGUF's MXFP4.
    private static int number(ElementType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 30;
            case F4_E2M1 -> 39;
            default -> throw new AssertionError("no golden model is coded in " + type);
        };
    }

    private static byte[] bytes(StoredTensor tensor) {
        return tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
    }
}
