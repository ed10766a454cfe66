package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.bergfried.contract.ClusterException;
import org.junit.jupiter.api.Test;

final class RecordCodecTest {
    private static final Map<String, Case> CASES = Map.of(
            "worker", new Case(RecordCodec.encode(Samples.worker("w1", 9)), RecordCodec::decodeWorker),
            "placement",
                    new Case(RecordCodec.encode(Samples.placement(3, "p", "a", "b")), RecordCodec::decodePlacement),
            "generation", new Case(RecordCodec.encode(Samples.generation("g1")), RecordCodec::decodeGeneration),
            "segment",
                    new Case(
                            RecordCodec.encode(new LogSegment(2, TokenIds.of(5, -1, 129_000))),
                            RecordCodec::decodeSegment),
            "rules", new Case(RecordCodec.encode(Samples.rules()), RecordCodec::decodeRules),
            "end", new Case(RecordCodec.encodeEnd("tool_calls"), RecordCodec::decodeEnd));

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Case(byte[] encoded, Function<byte[], Object> decode) {}

    @Test
    void recordsComeBackEqual() {
        WorkerAnnouncement worker = Samples.worker("w1", 9).with(WorkerAnnouncement.State.FAILED);
        assertEquals(worker, RecordCodec.decodeWorker(RecordCodec.encode(worker)));
        Placement placement = Samples.placement(Long.MAX_VALUE, "p", "a", "b", "c");
        assertEquals(placement, RecordCodec.decodePlacement(RecordCodec.encode(placement)));
        GenerationRecord generation = Samples.generation("g1");
        assertEquals(generation, RecordCodec.decodeGeneration(RecordCodec.encode(generation)));
        assertEquals(Samples.rules(), RecordCodec.decodeRules(RecordCodec.encode(Samples.rules())));
        var segment = new LogSegment(2, TokenIds.of(5, 0, 129_000));
        assertEquals(segment, RecordCodec.decodeSegment(RecordCodec.encode(segment)));
        assertEquals("stop", RecordCodec.decodeEnd(RecordCodec.encodeEnd("stop")));
    }

    @Test
    void aDenseModelsWorkerAndUnplacedExpertsComeBackToo() {
        var dense = PlacementFacts.of(new int[0], 0);
        WorkerAnnouncement sample = Samples.worker("w1", 9);
        var worker = new WorkerAnnouncement(
                "w1",
                1,
                "h:1",
                "h:2",
                Set.of(),
                "m",
                sample.modelDigest(),
                "n",
                "b",
                sample.state(),
                0,
                dense,
                ExpertSet.none(dense),
                0);
        assertEquals(worker, RecordCodec.decodeWorker(RecordCodec.encode(worker)));
        var facts = PlacementFacts.of(new int[] {0}, 2);
        var placement =
                new Placement(Samples.MODEL, 1, "p", facts, List.of("a", "b"), List.of(List.of(), List.of("b", "a")));
        assertEquals(placement, RecordCodec.decodePlacement(RecordCodec.encode(placement)));
    }

    @Test
    void everyCutIsRefused() {
        CASES.forEach((name, sample) -> {
            for (int length = 0; length < sample.encoded.length; length++) {
                byte[] cut = Arrays.copyOf(sample.encoded, length);
                assertThrows(ClusterException.class, () -> sample.decode.apply(cut), name + " cut to " + length);
            }
            byte[] longer = Arrays.copyOf(sample.encoded, sample.encoded.length + 1);
            assertThrows(ClusterException.class, () -> sample.decode.apply(longer), name + " with a byte more");
        });
    }

    @Test
    void hostileBytesNeverEndInAnythingButARefusal() {
        long seed = 20261125;
        var random = new SplittableRandom(seed);
        CASES.forEach((name, sample) -> {
            for (int round = 0; round < 3000; round++) {
                byte[] changed = sample.encoded.clone();
                int changes = 1 + random.nextInt(4);
                for (int i = 0; i < changes; i++) {
                    changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
                }
                try {
                    assertFalse(sample.decode.apply(changed).toString().isEmpty());
                } catch (ClusterException refused) {
                    assertTrue(refused.text().length() < 500, refused.text());
                } catch (RuntimeException wrong) {
                    throw new AssertionError(name + " of seed " + seed + ", round " + round, wrong);
                }
            }
        });
    }

    @Test
    void otherKindsAndVersionsAreNamed() {
        byte[] placement = RecordCodec.encode(Samples.placement(1, "p", "a"));
        var kind = assertThrows(ClusterException.class, () -> RecordCodec.decodeWorker(placement));
        assertEquals("worker announcement has the kind 2 instead of 1", kind.text());
        byte[] newer = placement.clone();
        newer[1] = 2;
        var version = assertThrows(ClusterException.class, () -> RecordCodec.decodePlacement(newer));
        assertTrue(version.text().contains("version 2; this process writes 1"), version.text());
    }

    @Test
    void hugeCountsAreRefusedBeforeAnythingIsAllocated() {
        byte[] bytes = new RecordWriter(RecordKind.LOG_SEGMENT)
                .i32(1)
                .i32(Integer.MAX_VALUE)
                .toBytes();
        var refused = assertThrows(ClusterException.class, () -> RecordCodec.decodeSegment(bytes));
        assertTrue(refused.text().contains("count of 2147483647; the limit is 256"), refused.text());
    }

    @Test
    void versionOneIsStable() {
        assertEquals(
                "0401000000020000000300000005ffffffff0001f7e8",
                HexFormat.of().formatHex(RecordCodec.encode(new LogSegment(2, TokenIds.of(5, -1, 129_000)))));
        assertEquals("0501000a746f6f6c5f63616c6c73", HexFormat.of().formatHex(RecordCodec.encodeEnd("tool_calls")));
        var facts = PlacementFacts.of(new int[] {3}, 2);
        var placement = new Placement("d", 1, "p", facts, List.of("a", "b"), List.of(List.of("b"), List.of()));
        assertEquals(
                "02010001640000000000000001000170000200010003000200016100016201000100",
                HexFormat.of().formatHex(RecordCodec.encode(placement)));
    }
}
