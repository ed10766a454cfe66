package org.bergfried.worker.model;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.Refusals;
import org.bergfried.worker.weights.TensorEntry;
import org.bergfried.worker.weights.TensorStore;
import org.jspecify.annotations.Nullable;

/// Finds tensors by their part, checks their shapes, and notes which were used: a tensor that no part asks for might
/// change numbers, so it is refused by name.
final class TensorFinder {
    private static final Set<ElementType> PLAIN_FLOATS = EnumSet.of(ElementType.F32, ElementType.F16, ElementType.BF16);
    /// What the scales of an FP8 tensor are called: DeepSeek's name for what weights are multiplied by.
    private static final String SCALE_SUFFIX = "_scale_inv";

    private final TensorStore store;
    private final Form form;
    private final Set<String> used = new HashSet<>();
    private final Set<String> ignored = new HashSet<>();

    TensorFinder(TensorStore store, Form form) {
        this.store = store;
        this.form = form;
    }

    /// The file or directory, for messages.
    Path path() {
        return store.path();
    }

    /// Which names the files use.
    Form form() {
        return form;
    }

    /// Whether a tensor is there. Asking does not use it.
    boolean has(String name) {
        return store.entries().containsKey(name);
    }

    /// A matrix of any understood type.
    StoredTensor matrix(String name, int rows, int columns) {
        return checked(name, List.of(rows, columns));
    }

    /// A matrix per head or expert in one tensor.
    StoredTensor matrices(String name, int count, int rows, int columns) {
        return checked(name, List.of(count, rows, columns));
    }

    /// A matrix of a float type: rule G computes gates by rule D.
    StoredTensor floatMatrix(String name, int rows, int columns) {
        return requirePlainFloat(matrix(name, rows, columns));
    }

    /// A norm or bias, `[columns]` or `[1, columns]`.
    StoredTensor vector(String name, int columns) {
        TensorEntry entry = store.entries().get(name);
        boolean row = entry != null && entry.shape().size() == 2;
        return requirePlainFloat(checked(name, row ? List.of(1, columns) : List.of(columns)));
    }

    /// A bias that the file may have.
    @Nullable
    StoredTensor optionalVector(String name, int columns) {
        return has(name) ? vector(name, columns) : null;
    }

    /// A tensor of any type and shape, which is then used; for those that need putting together.
    TensorEntry entry(String name, List<Integer> shape) {
        return found(name, shape);
    }

    /// The name of an FP8 tensor's scales.
    static String scalesOf(String name) {
        return name + SCALE_SUFFIX;
    }

    /// Notes that a tensor is known not to matter.
    void ignore(String name) {
        ignored.add(name);
    }

    /// Names of the tensors that were used, for the manifest.
    Set<String> used() {
        return used;
    }

    /// Refuses the first tensor that nobody used, except those of layers behind the last (multi-token prediction,
    /// which this engine does not run).
    void refuseUnused(int layers) {
        for (String name : store.entries().keySet()) {
            if (!used.contains(name)
                    && !ignored.contains(name)
                    && !isBehind(name, layers)
                    && !name.endsWith(".rotary_emb.inv_freq")) {
                throw Refusals.unsupported(
                        store.path(),
                        "tensor " + Refusals.shown(name)
                                + " has no part in this architecture and might change the model's numbers");
            }
        }
    }

    private boolean isBehind(String name, int layers) {
        if (!name.startsWith(form.layerPrefix())) {
            return false;
        }
        String rest = name.substring(form.layerPrefix().length());
        int dot = rest.indexOf('.');
        return dot > 0
                && dot <= 9
                && rest.substring(0, dot).chars().allMatch(c -> c >= '0' && c <= '9')
                && Integer.parseInt(rest.substring(0, dot)) >= layers;
    }

    private StoredTensor checked(String name, List<Integer> shape) {
        TensorEntry entry = found(name, shape);
        return entry.type() == ElementType.F8_E4M3 ? entry.stored(scales(name, shape)) : entry.stored();
    }

    /// The scales of an FP8 matrix.
    private MemorySegment scales(String name, List<Integer> shape) {
        if (shape.size() != 2) {
            throw Refusals.unsupported(store.path(), "tensor " + name + " is FP8; only matrices of it are understood");
        }
        int down = StoredTensor.scaleBlocks(shape.getFirst());
        int across = StoredTensor.scaleBlocks(shape.getLast());
        TensorEntry scales = found(name + SCALE_SUFFIX, List.of(down, across));
        if (scales.type() != ElementType.F32) {
            throw Refusals.unsupported(
                    scales.file(),
                    "tensor " + scales.name() + " has the type " + scales.typeName() + "; only F32 is understood");
        }
        return scales.bytes();
    }

    private TensorEntry found(String name, List<Integer> shape) {
        TensorEntry entry = store.entries().get(name);
        if (entry == null) {
            throw Refusals.corrupt(store.path(), "tensor " + name + " is missing; it must have the shape " + shape);
        }
        if (!entry.shape().equals(shape.stream().map(Integer::longValue).toList())) {
            throw Refusals.corrupt(
                    entry.file(),
                    "tensor " + name + " has the shape " + entry.shape() + "; the configuration needs " + shape);
        }
        used.add(name);
        return entry;
    }

    private StoredTensor requirePlainFloat(StoredTensor tensor) {
        if (!PLAIN_FLOATS.contains(tensor.type())) {
            throw Refusals.unsupported(
                    store.path(),
                    "tensor " + tensor.name() + " has the type " + tensor.type()
                            + "; norms, biases and gates must be F32, F16 or BF16");
        }
        return tensor;
    }
}
