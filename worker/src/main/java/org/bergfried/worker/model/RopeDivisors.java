package org.bergfried.worker.model;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import org.bergfried.worker.model.Part.Form;
import org.bergfried.worker.model.RopeSpec.Scaling;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredTensor;
import org.bergfried.worker.weights.Refusals;

/// Takes over the divisors of RoPE's frequencies that a GGUF keeps as a tensor.
final class RopeDivisors {
    private static final String NAME = "rope_freqs.weight";

    private RopeDivisors() {}

    /// The facts with the divisors, where the file has them.
    static ModelSpec apply(TensorFinder tensors, ModelSpec spec) {
        if (tensors.form() != Form.GGUF || !tensors.has(NAME)) {
            return spec;
        }
        RopeSpec rope = spec.rope();
        StoredTensor tensor = tensors.vector(NAME, rope.columns() / 2);
        if (tensor.type() != ElementType.F32 || !(rope.scaling() instanceof Scaling.None)) {
            throw Refusals.unsupported(
                    tensors.path(), "tensor " + NAME + " is understood as F32 and without rope.scaling only");
        }
        var divisors = new ArrayList<Float>();
        for (int i = 0; i < rope.columns() / 2; i++) {
            float divisor = tensor.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES);
            if (!(divisor > 0) || Float.isInfinite(divisor)) {
                throw Refusals.corrupt(tensors.path(), "tensor " + NAME + " holds " + divisor + " at " + i);
            }
            divisors.add(divisor);
        }
        return spec.withRope(
                new RopeSpec(rope.columns(), rope.theta(), rope.interleaved(), new Scaling.Divided(divisors)));
    }
}
