package org.bergfried.ops.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// The files of `ops/observability`: what the dashboard shows and the rules watch.
final class Observability {
    static final Path DIRECTORY = Chart.PROJECT.resolve("ops/observability");

    private static final Pattern METRIC = Pattern.compile("\\b(bergfried|jvm|process|system)_[a-z0-9_]+");

    private Observability() {}

    /// The metrics that an expression names.
    static Set<String> metrics(String expression) {
        Set<String> names = new TreeSet<>();
        METRIC.matcher(expression).results().forEach(found -> names.add(found.group()));
        return names;
    }

    static JsonNode dashboard() throws IOException {
        return JsonMapper.shared().readTree(Files.readString(DIRECTORY.resolve("dashboard.json")));
    }

    /// The dashboard's expressions by panel and letter.
    static Map<String, String> panels() throws IOException {
        Map<String, String> expressions = new LinkedHashMap<>();
        for (JsonNode panel : dashboard().path("panels")) {
            for (JsonNode target : panel.path("targets")) {
                expressions.put(
                        panel.path("title").asString() + " "
                                + target.path("refId").asString(),
                        target.path("expr").asString());
            }
        }
        return expressions;
    }

    /// The alerts' expressions by name.
    static Map<String, String> alerts() throws IOException {
        Map<String, String> expressions = new LinkedHashMap<>();
        JsonNode rules = new YAMLMapper().readTree(Files.readString(DIRECTORY.resolve("alerts.yaml")));
        for (JsonNode group : rules.path("groups")) {
            for (JsonNode rule : group.path("rules")) {
                expressions.put(rule.path("alert").asString(), rule.path("expr").asString());
            }
        }
        return expressions;
    }
}
