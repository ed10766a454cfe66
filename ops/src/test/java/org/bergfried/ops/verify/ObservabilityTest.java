package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.router.meter.RouterMeters;
import org.bergfried.worker.batch.BatchLoad;
import org.bergfried.worker.meter.WorkerMeters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Dashboard and alert rules speak only of meters that exist, and Prometheus understands them.
final class ObservabilityTest {
    private static final Pattern SAMPLE = Pattern.compile("^([a-z_][a-z0-9_]*)[{ ]");

    @TempDir
    private Path scratch = Path.of("");

    @Test
    void everyMetricIsOneThatIsMeasured() throws IOException {
        Set<String> measured = measured();
        List<String> expressions = new ArrayList<>(Observability.panels().values());
        expressions.addAll(Observability.alerts().values());
        Set<String> used = new TreeSet<>();
        for (String expression : expressions) {
            used.addAll(Observability.metrics(expression));
        }
        assertFalse(used.isEmpty());
        used.removeAll(measured);
        assertEquals(Set.of(), used, () -> "not measured; there are " + measured);
    }

    @Test
    void everyMeterOfOursIsOnTheDashboard() throws IOException {
        String shown = String.join("\n", Observability.panels().values());
        Set<String> missing = new TreeSet<>();
        for (String metric : measured()) {
            if (metric.startsWith("bergfried_") && !shown.contains(metric)) {
                missing.add(metric);
            }
        }
        // Others say the same: use is made of pages, ended of started, replays of attempts, and buckets of sums and
        // counts; the longest of a scrape interval is no curve.
        missing.removeAll(Set.of(
                "bergfried_cache_pages",
                "bergfried_cache_pages_free",
                "bergfried_router_attempts_total",
                "bergfried_router_generations_started_total"));
        missing.removeIf(metric -> metric.matches(".*_seconds_(max|sum|count)"));
        assertEquals(Set.of(), missing);
    }

    @Test
    void everyPanelHasAPlaceAndSaysWhatItShows() throws IOException {
        Set<String> places = new TreeSet<>();
        Set<Integer> ids = new TreeSet<>();
        for (JsonNode panel : Observability.dashboard().path("panels")) {
            assertTrue(ids.add(panel.path("id").asInt()), panel::toString);
            JsonNode at = panel.path("gridPos");
            assertTrue(places.add(at.path("x").asInt() + "," + at.path("y").asInt()), panel::toString);
            assertTrue(at.path("x").asInt() + at.path("w").asInt() <= 24, panel::toString);
            if (!panel.path("type").asString().equals("row")) {
                assertFalse(panel.path("description").asString("").isEmpty(), panel::toString);
                assertEquals(
                        "${datasource}", panel.path("datasource").path("uid").asString());
            }
        }
    }

    @Test
    void prometheusTakesTheRulesAndTheirCasesHold() throws Exception {
        var promtool = Tool.find("bergfried.promtool", "promtool");
        var check = promtool.run(Observability.DIRECTORY, "check", "rules", "alerts.yaml");
        assertEquals(0, check.exitCode(), check.output());
        var test = promtool.run(Observability.DIRECTORY, "test", "rules", "alerts-test.yaml");
        assertEquals(0, test.exitCode(), test.output());
        String cases = Files.readString(Observability.DIRECTORY.resolve("alerts-test.yaml"));
        for (String alert : Observability.alerts().keySet()) {
            assertEquals(3, cases.split("alertname: " + alert + "\\b", -1).length, alert + " has a case of each kind");
        }
    }

    @Test
    void prometheusTakesEveryPanel() throws Exception {
        var promtool = Tool.find("bergfried.promtool", "promtool");
        StringBuilder rules = new StringBuilder("groups:\n  - name: panels\n    rules:\n");
        int number = 0;
        for (String expression : Observability.panels().values()) {
            rules.append("      - {record: panel_")
                    .append(number++)
                    .append(", expr: ")
                    .append(JsonMapper.shared().writeValueAsString(expression))
                    .append("}\n");
        }
        Path file = Files.writeString(scratch.resolve("panels.yaml"), rules.toString());
        var check = promtool.run(scratch, "check", "rules", file.toString());
        assertEquals(0, check.exitCode(), check.output());
    }

    /// Names of all samples that a router and a worker write.
    private static Set<String> measured() {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        var router = new RouterMeters(registry);
        router.watchAdmission(() -> 0, () -> 0);
        router.watchCluster(() -> 0, () -> 0);
        router.ended("stop");
        router.firstToken(1);
        router.nextToken(1);
        router.begin().end("http", "chat", "200");
        Set<String> names = new TreeSet<>(names(registry.scrape()));
        try (var worker = new WorkerMeters()) {
            worker.batch(() -> new BatchLoad(0, 0, 0, 0, 0, 0, 0, 0, 0));
            worker.ready(() -> true);
            worker.placement(() -> 0L, () -> 0);
            worker.imbalance(() -> 1.0);
            worker.roundTrips().answered(DispatchClass.DECODE, 1);
            names.addAll(names(worker.scrape()));
        }
        return names;
    }

    private static Set<String> names(String scrape) {
        Set<String> names = new TreeSet<>();
        scrape.lines().forEach(line -> {
            var sample = SAMPLE.matcher(line);
            if (sample.find()) {
                names.add(sample.group(1));
            }
        });
        return names;
    }
}
