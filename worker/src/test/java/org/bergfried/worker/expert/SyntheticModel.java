package org.bergfried.worker.expert;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bergfried.worker.kernel.GateShape;
import org.bergfried.worker.model.AttentionSpec;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.model.RopeSpec;
import org.bergfried.worker.model.TrunkTensors;
import org.bergfried.worker.model.TrunkTensors.SwiGlu;
import org.bergfried.worker.tensor.ElementType;
import org.bergfried.worker.tensor.StoredPart;
import org.bergfried.worker.tensor.StoredTensor;
import org.jspecify.annotations.Nullable;

/// Small random experts in layers 1 and 2; layer 0 is dense. Nothing but experts exists.
public final class SyntheticModel implements Model {
    public static final int CHOSEN = 4;

    private final Arena arena = Arena.ofAuto();
    private final ModelSpec spec;
    private final List<SwiGlu> experts = new ArrayList<>(); // [2 layers, experts]
    private final int expertCount;

    /// How the three matrices are coded.
    public record Types(ElementType gate, ElementType up, ElementType down) {
        public static final Types FLOATS = new Types(ElementType.F32, ElementType.F32, ElementType.F32);
        public static final Types CODES = new Types(ElementType.Q8_0, ElementType.Q8_0, ElementType.Q8_0);
        public static final Types MIXED = new Types(ElementType.Q8_0, ElementType.F32, ElementType.Q8_0);
    }

    public SyntheticModel(Types types, int hiddenSize, int expertColumns, int expertCount, long seed) {
        this.expertCount = expertCount;
        var gate = new GateShape(
                GateShape.Scoring.SOFTMAX, expertCount, CHOSEN, 1, 1, GateShape.GroupScore.MAXIMUM, true, 0, 1);
        var moe = new FeedForwardSpec.Moe(gate, expertColumns, 0);
        spec = new ModelSpec(
                "synthetic",
                8,
                hiddenSize,
                64,
                1e-6f,
                new AttentionSpec.Grouped(1, 1, 32, 1),
                new RopeSpec(32, 10000, false, new RopeSpec.Scaling.None()),
                List.of(new FeedForwardSpec.Dense(32), moe, moe),
                false);
        var random = new SplittableRandom(seed);
        for (int i = 0; i < 2 * expertCount; i++) {
            experts.add(new SwiGlu(
                    tensor("gate" + i, types.gate(), expertColumns, hiddenSize, random),
                    tensor("up" + i, types.up(), expertColumns, hiddenSize, random),
                    tensor("down" + i, types.down(), hiddenSize, expertColumns, random)));
        }
    }

    private StoredTensor tensor(String name, ElementType type, int rows, int columns, SplittableRandom random) {
        MemorySegment bytes = arena.allocate(rows * type.rowBytes(columns), 64);
        if (type == ElementType.F32) {
            for (long at = 0; at < bytes.byteSize(); at += 4) {
                bytes.set(ValueLayout.JAVA_FLOAT, at, (float) random.nextDouble(-0.5, 0.5));
            }
        } else {
            for (long at = 0; at < bytes.byteSize(); at += 34) {
                bytes.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16((float)
                        random.nextDouble(0.001, 0.01)));
                for (int i = 2; i < 34; i++) {
                    bytes.set(ValueLayout.JAVA_BYTE, at + i, (byte) random.nextInt(-127, 128));
                }
            }
        }
        return new StoredTensor(name, type, List.of(rows, columns), bytes);
    }

    @Override
    public ModelSpec spec() {
        return spec;
    }

    @Override
    public SwiGlu expert(int layer, int expert) {
        return experts.get((layer - 1) * expertCount + expert);
    }

    @Override
    public TrunkTensors trunk() {
        throw new UnsupportedOperationException("experts only");
    }

    @Override
    public String digest() {
        return "00112233445566778899aabbccddeeff".repeat(2);
    }

    @Override
    public String expertDigest(int layer, int expert) {
        return "0".repeat(64);
    }

    @Override
    public Optional<String> expertFault(int layer, int expert) {
        return Optional.empty();
    }

    @Override
    public Optional<String> changedFile() {
        return Optional.empty();
    }

    @Override
    public List<StoredPart> storedExpert(int layer, int expert) {
        return expert(layer, expert).tensors().stream()
                .map(tensor -> new StoredPart(
                        tensor.name(),
                        tensor.shape().stream().map(Integer::longValue).toList(),
                        tensor.bytes()))
                .toList();
    }

    @Override
    public SwiGlu expertOf(int layer, int expert, List<StoredPart> copies) {
        SwiGlu own = expert(layer, expert);
        return new SwiGlu(
                with(own.gateProj(), copies.get(0)),
                with(own.upProj(), copies.get(1)),
                with(own.downProj(), copies.get(2)));
    }

    private static StoredTensor with(StoredTensor tensor, StoredPart copy) {
        return new StoredTensor(tensor.name(), tensor.type(), tensor.shape(), copy.bytes());
    }

    @Override
    public boolean intact(StoredPart copy) {
        return true;
    }

    @Override
    public byte @Nullable [] tokenizerJson() {
        return null;
    }

    @Override
    public @Nullable String chatTemplate() {
        return null;
    }

    @Override
    public Map<String, String> tokenVariables() {
        return Map.of();
    }

    @Override
    public int[] stopIds() {
        return new int[0];
    }

    @Override
    public long fileBytes() {
        return 0;
    }

    @Override
    public void close() {
        // The collector frees the arena.
    }
}
