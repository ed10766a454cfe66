package org.bergfried.router.placement.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.placement.plan.Eplb.Case;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The planner against EPLB: its recorded answers, and its algorithm on random questions.
final class SlotPlanTest {
    @Test
    void balancesBetterThanTheRecordedAnswersOfEplb() throws IOException {
        double ours = 0;
        double theirs = 0;
        for (JsonNode line : recorded()) {
            Case question = question(line);
            double eplb = line.get("balance").asDouble();
            double balance = checked(question, line.get("kind").asString());
            assertTrue(balance >= eplb - 1e-6, line.get("kind") + ": " + balance + ", EPLB " + eplb);
            ours += balance;
            theirs += eplb;
        }
        assertTrue(ours > theirs * 1.005, ours + " in sum, EPLB " + theirs);
    }

    @Test
    void theYardstickIsEplb() throws IOException {
        for (JsonNode line : recorded()) {
            assertEquals(
                    line.get("balance").asDouble(),
                    question(line).balance(),
                    1e-6,
                    line.get("kind").asString());
        }
    }

    @Test
    void neverBalancesWorseThanEplbOnRandomQuestions() {
        double ours = 0;
        double theirs = 0;
        for (long seed = 1; seed <= 150; seed++) {
            Case question = Eplb.random(new SplittableRandom(seed));
            double balance = checked(question, "seed " + seed);
            double eplb = question.balance();
            assertTrue(balance >= eplb - 1e-9, "seed " + seed + ": " + balance + ", EPLB " + eplb);
            ours += balance;
            theirs += eplb;
        }
        assertTrue(ours > theirs, ours + " in sum, EPLB " + theirs);
    }

    @Test
    void slotsThatDoNotDivideAreRefused() {
        var refused = assertThrows(ClusterException.class, () -> SlotPlan.of(new double[][] {{1, 2, 3}}, 5, 1, 1, 2));
        assertEquals(ErrorReason.INVALID_REQUEST, refused.reason());
        assertEquals("5 replicas on 2 workers do not divide evenly or do not fit", refused.text());
    }

    /// Plans, checks the table's form, and scores it.
    private static double checked(Case question, String what) {
        SlotPlan plan = SlotPlan.of(
                question.load(), question.replicas(), question.groups(), question.nodes(), question.workers());
        double sum = 0;
        for (int layer = 0; layer < question.load().length; layer++) {
            int[] slots = plan.slots().get(layer);
            double[] load = question.load()[layer];
            assertEquals(question.replicas(), slots.length, what);
            assertEquals(load.length, Arrays.stream(slots).distinct().count(), what + ": every expert has a slot");
            if (question.groups() % question.nodes() == 0) {
                checkNodes(slots, load.length / question.groups(), question, what);
            }
            sum += Eplb.score(load, slots, question.workers());
        }
        assertEquals(sum / question.load().length, plan.balance(), 1e-12, what);
        return plan.balance();
    }

    private static void checkNodes(int[] slots, int groupSize, Case question, String what) {
        int slotsPerNode = slots.length / question.nodes();
        for (int slot = 0; slot < slots.length; slot++) {
            for (int other = 0; other < slots.length; other++) {
                boolean isSameGroup = slots[slot] / groupSize == slots[other] / groupSize;
                assertTrue(
                        !isSameGroup || slot / slotsPerNode == other / slotsPerNode, what + ": a group on two nodes");
            }
        }
    }

    private static Case question(JsonNode line) {
        JsonNode weight = line.get("weight");
        double[][] load = new double[weight.size()][];
        for (int layer = 0; layer < load.length; layer++) {
            load[layer] = new double[weight.get(layer).size()];
            for (int expert = 0; expert < load[layer].length; expert++) {
                load[layer][expert] = weight.get(layer).get(expert).asDouble();
            }
        }
        return new Case(
                load,
                line.get("replicas").asInt(),
                line.get("groups").asInt(),
                line.get("nodes").asInt(),
                line.get("gpus").asInt());
    }

    private static List<JsonNode> recorded() throws IOException {
        var mapper = JsonMapper.builder().build();
        try (InputStream stream = SlotPlanTest.class.getResourceAsStream("/eplb/cases.jsonl");
                var reader = new BufferedReader(
                        new InputStreamReader(Objects.requireNonNull(stream), StandardCharsets.UTF_8))) {
            return reader.lines().map(mapper::readTree).toList();
        }
    }
}
