package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What the processes of a quickstart write at `/metrics`, as Prometheus reads it: dashboard and rules find there
/// what they ask for.
@ExtendWith(SharedCluster.class)
final class ScrapedMetricsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final RunningCluster cluster;

    @TempDir
    private Path folder = Path.of("");

    ScrapedMetricsTest(RunningCluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void metricsAreWrittenAsPrometheusLikesThem() throws Exception {
        answer();
        var promtool = Tool.find("bergfried.promtool", "promtool");
        for (String process : cluster.health()) {
            String metrics = new HttpChat(process).get("/metrics");
            var check = promtool.run(
                    folder, Files.writeString(folder.resolve("metrics.txt"), ours(metrics)), "check", "metrics");
            assertEquals("", check.output(), process);
            assertEquals(0, check.exitCode(), process);
        }
    }

    @Test
    void everyPanelShowsDataAndNoRuleOfAQuietClusterFires() throws Exception {
        List<String> targets = cluster.health().stream()
                .map(url -> URI.create(url).getAuthority())
                .toList();
        try (var prometheus = new PrometheusServer(folder, targets)) {
            Await.until(
                    "all processes scraped",
                    PATIENCE,
                    () -> prometheus.query("up == 1").size() == targets.size());
            Map<String, String> panels = Observability.panels();
            Await.until("data in every panel; there is none in " + empty(prometheus, panels), PATIENCE, () -> {
                answer();
                return empty(prometheus, panels).isEmpty();
            });
            assertEquals(Set.of(), unknown(prometheus, panels.values()));
            assertEquals(Set.of(), unknown(prometheus, Observability.alerts().values()));
            for (JsonNode rule : prometheus.rules()) {
                assertEquals("ok", rule.path("health").asString(), rule::toString);
                assertNotEquals("firing", rule.path("state").asString(), rule::toString);
            }
        }
    }

    private void answer() throws IOException {
        new HttpChat(cluster.url()).stream(HttpChat.longAnswer(60, 9), events -> {});
    }

    /// Panels whose expression gives no number.
    private static Set<String> empty(PrometheusServer prometheus, Map<String, String> panels) throws IOException {
        Set<String> empty = new LinkedHashSet<>();
        for (var panel : panels.entrySet()) {
            if (prometheus.query(panel.getValue()).stream().noneMatch(Double::isFinite)) {
                empty.add(panel.getKey());
            }
        }
        return empty;
    }

    /// Metrics that expressions name and no process writes.
    private static Set<String> unknown(PrometheusServer prometheus, Iterable<String> expressions) throws IOException {
        Set<String> unknown = new TreeSet<>();
        for (String expression : expressions) {
            for (String metric : Observability.metrics(expression)) {
                if (prometheus.query("count(" + metric + ")").isEmpty()) {
                    unknown.add(metric);
                }
            }
        }
        return unknown;
    }

    /// The metrics that are named by us; the others are Micrometer's.
    private static String ours(String metrics) {
        StringBuilder ours = new StringBuilder();
        metrics.lines()
                .filter(line -> line.matches("(# (HELP|TYPE) )?bergfried_.*"))
                .forEach(line -> ours.append(line).append('\n'));
        return ours.toString();
    }
}
