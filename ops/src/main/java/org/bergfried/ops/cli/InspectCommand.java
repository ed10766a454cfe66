package org.bergfried.ops.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ByteSize;
import org.bergfried.worker.model.AttentionSpec;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelDescription;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.model.Models;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/// Shows what a model is and what it needs.
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = "Shows a model's architecture, size, memory needs and end tokens.")
final class InspectCommand implements Runnable {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "MODEL", description = "A model directory or GGUF file.")
    private Path model = Path.of("");

    @Option(names = "--digest", description = "Also computes the model's digest, which reads every byte of it.")
    private boolean digest;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    InspectCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        try (Model opened = Models.open(model)) {
            Map<String, Object> facts = facts(ModelDescription.of(opened));
            if (digest) {
                facts.put("digest", opened.digest());
            }
            if (json) {
                surroundings.out().println(JsonMapper.shared().writeValueAsString(facts));
            } else {
                facts.forEach((name, value) ->
                        surroundings.out().printf("%-22s %s%n", name.replace('_', ' '), readable(name, value)));
            }
        }
    }

    private static Map<String, Object> facts(ModelDescription description) {
        ModelSpec spec = description.spec();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("family", spec.family());
        facts.put("parameters", description.parameters());
        facts.put("active_parameters", description.activeParameters());
        facts.put("layers", spec.layers().size());
        facts.put("moe_layers", spec.moeLayers().length);
        facts.put("routed_experts", description.expertCount());
        facts.put("hidden_size", spec.hiddenSize());
        facts.put(
                "attention",
                switch (spec.attention()) {
                    case AttentionSpec.Grouped grouped ->
                        "grouped, " + grouped.heads() + " heads on " + grouped.kvHeads() + " of "
                                + grouped.headColumns() + " columns";
                    case AttentionSpec.Latent latent ->
                        "latent (MLA), " + latent.heads() + " heads on a latent of " + latent.kvRank() + " + "
                                + latent.ropeColumns() + " columns";
                });
        facts.put("vocabulary", spec.vocabularySize());
        facts.put("context", spec.contextLength());
        facts.put("file_bytes", description.fileBytes());
        facts.put("trunk_bytes", description.trunkBytes());
        facts.put("expert_bytes", description.expertBytes());
        facts.put("cache_bytes_per_token", description.cacheBytesPerToken());
        List<String> types = new ArrayList<>();
        description.types().forEach(share -> types.add(share.tensors() + " " + share.type()));
        facts.put("tensors", types);
        facts.put("stop_ids", description.stopIds());
        return facts;
    }

    private static String readable(String name, Object value) {
        return value instanceof Long bytes && name.contains("bytes")
                ? bytes + " (" + new ByteSize(bytes) + ")"
                : String.valueOf(value);
    }
}
