package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.router.placement.plan.SlotPlan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Plans tables of expert load without a cluster.
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        description = {
            "Plans tables of expert load, as EPLB takes them, without a cluster.",
            "A line of JSON per case: {weight: [layers][experts], replicas, groups, nodes, gpus}; each is answered",
            "with a line {phy2log: [layers][replicas], balance}. Slots are dealt to the gpus in order; balance is the",
            "mean over the layers of the gpus' mean load over that of the fullest."
        })
final class SimulateCommand implements Runnable {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // cases carry the answers to compare with
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .build();

    private final Surroundings surroundings;

    @Option(names = "--cases", required = true, paramLabel = "FILE", description = "A line of JSON per case.")
    private Path cases = Path.of("");

    /// A case, in EPLB's words.
    private record Case(double[][] weight, int replicas, int groups, int nodes, int gpus) {}

    SimulateCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        int number = 0;
        for (String line : Input.text(cases).lines().toList()) {
            number++;
            if (!line.isBlank()) {
                surroundings.out().println(answer(line, number));
            }
        }
    }

    private String answer(String line, int number) {
        try {
            Case one = MAPPER.readValue(line, Case.class);
            SlotPlan plan = SlotPlan.of(one.weight, one.replicas, one.groups, one.nodes, one.gpus);
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("phy2log", plan.slots());
            answer.put("balance", plan.balance());
            return MAPPER.writeValueAsString(answer);
        } catch (JacksonException e) {
            throw new CommandFailure("line " + number + " of " + cases + " is no case: " + e.getOriginalMessage(), e);
        } catch (ClusterException e) {
            throw new CommandFailure("line " + number + " of " + cases + ": " + e.text(), e);
        }
    }
}
