package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.router.RouterConfig;
import org.bergfried.worker.WorkerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;

/// What the chart renders is what the processes read: each ConfigMap, with the environment of its pods.
final class ChartConfigTest {
    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void everyConfigurationIsAccepted(String name) {
        String rendered = Chart.render(name);
        RouterConfig router = router(rendered);
        assertEquals("0.0.0.0", router.http().host());
        assertEquals("10.0.0.7", router.cluster().host());
        List<WorkerConfig> workers = workers(rendered);
        assertEquals(Chart.objects(rendered, "StatefulSet").size(), workers.size());
        for (WorkerConfig worker : workers) {
            assertEquals(router.cluster().seeds(), worker.cluster().seeds());
            assertEquals(router.cluster().name(), worker.cluster().name());
            assertEquals("10.0.0.7", worker.grpc().host());
            assertEquals("10.0.0.7", worker.http().host());
            assertTrue(worker.id().endsWith("-0.demo-bergfried-members.llm.svc"), worker.id());
            assertEquals(
                    List.of("*.demo-bergfried-members.llm.svc"),
                    worker.tls().orElseThrow().workerNames());
            assertEquals(
                    List.of("demo-bergfried.llm.svc"),
                    worker.tls().orElseThrow().routerNames());
        }
    }

    @Test
    void valuesReachTheConfiguration() {
        RouterConfig router = router(Chart.render("gpu"));
        assertEquals(512, router.admit().runningMax());
        assertEquals(Duration.ofMinutes(5), router.http().stallTimeout());
        assertEquals(8, router.placement().expectedWorkers());
        assertEquals(3, router.placement().expectedRouters());
        WorkerConfig gpu = workers(Chart.render("gpu")).getFirst();
        assertEquals(1_048_576, gpu.cache().positions());
        assertEquals("deepseek-v3", gpu.model().servedName());
        assertEquals(Duration.ofMinutes(2), gpu.drain());
        List<WorkerConfig> mixed = workers(Chart.render("mixed"));
        assertEquals("vector", mixed.getLast().backend());
        assertEquals(512, mixed.getLast().batch().rowsMax());
        assertEquals(200L << 30, mixed.getLast().experts().hot().orElseThrow().bytes());
        assertEquals(30, mixed.getLast().threads());
        assertEquals(4, router(Chart.render("mixed")).placement().expectedWorkers());
    }

    private static RouterConfig router(String rendered) {
        return Chart.workloads(rendered).stream()
                .filter(workload -> Chart.name(workload).endsWith("-router"))
                .map(workload -> load(RouterConfig.class, rendered, workload))
                .findFirst()
                .orElseThrow();
    }

    private static List<WorkerConfig> workers(String rendered) {
        List<WorkerConfig> workers = new ArrayList<>();
        for (JsonNode set : Chart.objects(rendered, "StatefulSet")) {
            workers.add(load(WorkerConfig.class, rendered, set));
        }
        return workers;
    }

    /// Reads the file that the workload's arguments name, from the ConfigMap that it mounts, as the first pod does.
    private static <T extends Record> T load(Class<T> type, String rendered, JsonNode workload) {
        var pod = new ChartPod(rendered, workload, 0);
        String file = pod.configurationFile();
        String key = file.substring(file.lastIndexOf('/') + 1);
        String yaml = pod.configuration().getOrDefault(key, "");
        return ConfigLoader.parse(type, file, yaml, pod.environment("10.0.0.7"));
    }
}
