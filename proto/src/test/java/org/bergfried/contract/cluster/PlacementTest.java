package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bergfried.contract.ClusterException;
import org.junit.jupiter.api.Test;

final class PlacementTest {
    @Test
    void evenPutsExpertEOfLayerLOnWorkerEPlusLModN() {
        Placement placement = Samples.placement(1, "p", "w0", "w1");
        for (int layer : List.of(1, 2, 5)) {
            for (int expert = 0; expert < 6; expert++) {
                assertEquals(List.of("w" + (expert + layer) % 2), placement.replicas(layer, expert));
            }
        }
        assertArrayEquals(new int[] {1, 3, 5}, placement.expertsOn("w0").experts(1));
        assertArrayEquals(new int[] {0, 2, 4}, placement.expertsOn("w0").experts(2));
        assertEquals(
                18,
                placement.expertsOn("w0").count() + placement.expertsOn("w1").count());
        assertEquals(0, placement.expertsOn("stranger").count());
    }

    @Test
    void refusesUnsortedWorkersUnknownReplicasAndWrongTables() {
        assertTrue(refusal(List.of("w1", "w0"), List.of("w0")).contains("not sorted"));
        assertTrue(refusal(List.of("w0", "w0"), List.of("w0")).contains("not sorted and different"));
        assertTrue(refusal(List.of("w0"), List.of("w9")).contains("[w9]"));
        assertTrue(refusal(List.of("w0"), List.of("w0", "w0")).contains("not different workers"));
        var facts = PlacementFacts.of(new int[] {0}, 2);
        var wrongTable = assertThrows(
                ClusterException.class,
                () -> new Placement(Samples.MODEL, 1, "p", facts, List.of("w0"), List.of(List.of("w0"))));
        assertTrue(wrongTable.text().contains("1 entries; the model has 2"), wrongTable.text());
    }

    @Test
    void factsAndSetsNameWhatDoesNotExist() {
        assertThrows(IllegalArgumentException.class, () -> Samples.FACTS.cell(3, 0));
        assertThrows(IllegalArgumentException.class, () -> Samples.FACTS.cell(1, 6));
        assertThrows(ClusterException.class, () -> PlacementFacts.of(new int[] {2, 1}, 4));
        assertThrows(ClusterException.class, () -> PlacementFacts.of(new int[] {1}, 0));
        assertEquals(0, PlacementFacts.of(new int[0], 0).expertCount());
        assertEquals(18, ExpertSet.all(Samples.FACTS).count());
    }

    private static String refusal(List<String> workers, List<String> replicas) {
        var facts = PlacementFacts.of(new int[] {0}, 1);
        var refused = assertThrows(
                ClusterException.class, () -> new Placement(Samples.MODEL, 1, "p", facts, workers, List.of(replicas)));
        return refused.text();
    }
}
