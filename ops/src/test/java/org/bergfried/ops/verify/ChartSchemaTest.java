package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.router.RouterConfig;
import org.bergfried.worker.WorkerConfig;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// What the chart's values may set of the processes' configuration is what there is: neither can change alone.
final class ChartSchemaTest {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Map<String, String> KINDS = Map.of(
            "^[0-9]+(ms|s|m|h)$", "duration",
            "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)$", "size");

    /// Values that leave the others their whole range.
    private static final Map<String, Object> WIDE = Map.of("batch.rowsMax", 8192, "batch.sequencesMax", 1);

    private static JsonNode schema() throws IOException {
        return JsonMapper.shared().readTree(Chart.read(Chart.DIRECTORY.resolve("values.schema.json")));
    }

    private static JsonNode routerSchema() throws IOException {
        return schema().at("/properties/router/properties/config");
    }

    private static JsonNode workerSchema() throws IOException {
        return schema().at("/properties/worker/properties/config");
    }

    @Test
    void everyKeyOfARouterIsSetByTheChartOrByAValue() throws IOException {
        var pod = pod("-router");
        requireSame(ConfigKeys.of(RouterConfig.class), leaves(routerSchema()), pod);
    }

    @Test
    void everyKeyOfAWorkerIsSetByTheChartOrByAValue() throws IOException {
        var pod = pod("-cpu");
        requireSame(ConfigKeys.of(WorkerConfig.class), leaves(workerSchema()), pod);
    }

    @Test
    void aPoolTakesTheKeysThatAllWorkersTake() throws IOException {
        assertEquals(workerSchema(), schema().at("/properties/pools/items/properties/config"));
    }

    @Test
    void rangesAreThoseOfTheProcesses() throws IOException {
        probe(RouterConfig.class, Map.of("sealKeyFile", "unused"), leaves(routerSchema()));
        var worker = new LinkedHashMap<>(WIDE);
        worker.put("model.path", "unused");
        probe(WorkerConfig.class, worker, leaves(workerSchema()));
    }

    @Test
    void choicesAreThoseOfTheProcesses() throws IOException {
        JsonNode pool = schema().at("/properties/pools/items/properties");
        for (JsonNode backend : pool.path("backend").path("enum")) {
            assertDoesNotThrow(() -> load(WorkerConfig.class, "{model.path: m, backend: " + backend + "}"));
        }
        for (JsonNode role : pool.path("roles").path("items").path("enum")) {
            assertDoesNotThrow(() -> load(WorkerConfig.class, "{model.path: m, roles: [" + role + "]}"));
        }
    }

    @Test
    void noObjectOfTheSchemaTakesUnknownKeys() throws IOException {
        requireClosed(schema(), "values");
    }

    /// Keys that the chart renders or passes by the environment, and keys that values may set, are all that there are,
    /// and none is both: what a value sets is never overwritten.
    private static void requireSame(Map<String, String> known, Map<String, JsonNode> settable, ChartPod pod)
            throws IOException {
        Set<String> rendered = new TreeSet<>();
        for (String yaml : pod.configuration().values()) {
            paths(YAML.readTree(yaml), "", rendered);
        }
        pod.environment("10.0.0.7").keySet().stream()
                .filter(name -> name.startsWith("BERGFRIED_") && !name.equals("BERGFRIED_LOG"))
                .forEach(name -> rendered.add(
                        name.substring("BERGFRIED_".length()).replace("__", ".").toLowerCase(java.util.Locale.ROOT)));
        rendered.add("model.name"); // where it has a value
        Set<String> both = new TreeSet<>(rendered);
        both.retainAll(settable.keySet());
        assertEquals(Set.of(), both, "set by the chart and by values");
        Set<String> all = new TreeSet<>(rendered);
        all.addAll(settable.keySet());
        if (!known.containsKey("model.name")) {
            all.remove("model.name");
        }
        assertEquals(known.keySet(), all);
        settable.forEach((path, node) -> assertEquals(known.get(path), kind(node), path));
    }

    /// Ends of ranges are taken, what is beyond is refused.
    private static void probe(Class<? extends Record> type, Map<String, Object> base, Map<String, JsonNode> leaves) {
        leaves.forEach((path, node) -> {
            for (String end : List.of("minimum", "maximum")) {
                if (node.has(end)) {
                    long value = node.path(end).asLong();
                    long beyond = end.equals("minimum") ? value - 1 : value + 1;
                    assertDoesNotThrow(() -> load(type, base, path, value), path);
                    assertThrows(ConfigException.class, () -> load(type, base, path, beyond), path + " = " + beyond);
                }
            }
        });
    }

    private static Record load(Class<? extends Record> type, Map<String, Object> base, String path, long value) {
        var tree = new TreeMap<>(base);
        tree.put(path, value);
        return load(type, JsonMapper.shared().writeValueAsString(tree));
    }

    /// @param dotted a flat map whose keys are paths.
    private static Record load(Class<? extends Record> type, String dotted) {
        var root = YAML.createObjectNode();
        YAML.readTree(dotted).properties().forEach(entry -> {
            String[] steps = entry.getKey().split("\\.", -1);
            var node = root;
            for (int i = 0; i < steps.length - 1; i++) {
                node = node.withObjectProperty(steps[i]);
            }
            node.set(steps[steps.length - 1], entry.getValue());
        });
        return ConfigLoader.parse(type, "probe.yaml", YAML.writeValueAsString(root), Map.of());
    }

    private static ChartPod pod(String ending) {
        String rendered = Chart.render("minimal");
        JsonNode workload = Chart.workloads(rendered).stream()
                .filter(candidate -> Chart.name(candidate).endsWith(ending))
                .findFirst()
                .orElseThrow();
        return new ChartPod(rendered, workload, 0);
    }

    /// The schemas of the values that take no further keys, by path.
    private static Map<String, JsonNode> leaves(JsonNode schema) {
        Map<String, JsonNode> leaves = new TreeMap<>();
        leaves(schema, "", leaves);
        assertFalse(leaves.isEmpty());
        return leaves;
    }

    private static void leaves(JsonNode schema, String path, Map<String, JsonNode> leaves) {
        for (var property : schema.path("properties").properties()) {
            if (property.getValue().has("properties")) {
                leaves(property.getValue(), path + property.getKey() + ".", leaves);
            } else {
                leaves.put(path + property.getKey(), property.getValue());
            }
        }
    }

    private static void paths(JsonNode node, String path, Set<String> paths) {
        for (var property : node.properties()) {
            if (property.getValue().isObject()) {
                paths(property.getValue(), path + property.getKey() + ".", paths);
            } else {
                paths.add(path + property.getKey());
            }
        }
    }

    private static String kind(JsonNode node) {
        String type = node.path("type").asString();
        return type.equals("string") ? KINDS.getOrDefault(node.path("pattern").asString(""), "other") : type;
    }

    private static void requireClosed(JsonNode node, String path) {
        if (node.has("properties")) {
            assertEquals("false", node.path("additionalProperties").toString(), path);
        }
        for (var property : node.properties()) {
            requireClosed(property.getValue(), path + "." + property.getKey());
        }
    }
}
