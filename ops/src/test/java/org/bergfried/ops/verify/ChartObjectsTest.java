package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceAccount;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;

/// The rendered objects are valid and fit together, in what no schema sees.
final class ChartObjectsTest {
    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void everyObjectIsValid(String name) throws IOException {
        for (JsonNode object : Chart.objects(Chart.render(name))) {
            validate(object.path("kind").asString(), JsonParser.parseString(object.toString()));
        }
    }

    @Test
    void validationBites() {
        String text = Chart.workloads(Chart.render("minimal")).getFirst().toString();
        String misspelt = text.replace("\"readinessProbe\"", "\"readynessProbe\"");
        assertThrows(IllegalArgumentException.class, () -> validate("Deployment", JsonParser.parseString(misspelt)));
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void namesDiffer(String name) {
        Set<String> names = new HashSet<>();
        for (JsonNode object : Chart.objects(Chart.render(name))) {
            String id = object.path("kind").asString() + "/" + Chart.name(object);
            assertTrue(names.add(id), id);
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void selectorsMatchTheirPods(String name) {
        String rendered = Chart.render(name);
        List<JsonNode> workloads = Chart.workloads(rendered);
        for (JsonNode workload : workloads) {
            Map<String, String> wanted =
                    Chart.texts(workload.path("spec").path("selector").path("matchLabels"));
            for (JsonNode other : workloads) {
                boolean matches = Chart.podLabels(other).entrySet().containsAll(wanted.entrySet());
                assertEquals(other.equals(workload), matches, Chart.name(workload) + " selects " + Chart.name(other));
            }
        }
        for (JsonNode budget : Chart.objects(rendered, "PodDisruptionBudget")) {
            var wanted = Chart.texts(budget.path("spec").path("selector").path("matchLabels"));
            assertFalse(selected(workloads, wanted).isEmpty(), Chart.name(budget));
            assertEquals(1, budget.path("spec").path("maxUnavailable").asInt(), "evictions go on, one at a time");
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void everyPodHasOneDisruptionBudget(String name) {
        String rendered = Chart.render(name);
        for (JsonNode workload : Chart.workloads(rendered)) {
            long budgets = Chart.objects(rendered, "PodDisruptionBudget").stream()
                    .map(budget ->
                            Chart.texts(budget.path("spec").path("selector").path("matchLabels")))
                    .filter(wanted -> Chart.podLabels(workload).entrySet().containsAll(wanted.entrySet()))
                    .count();
            assertEquals(1, budgets, Chart.name(workload));
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void servicesReachPortsThatExist(String name) {
        String rendered = Chart.render(name);
        for (JsonNode service : Chart.objects(rendered, "Service")) {
            var pods = selected(
                    Chart.workloads(rendered), Chart.texts(service.path("spec").path("selector")));
            assertFalse(pods.isEmpty(), Chart.name(service));
            for (JsonNode port : service.path("spec").path("ports")) {
                for (JsonNode pod : pods) {
                    assertTrue(
                            portNames(pod).contains(port.path("targetPort").asString()),
                            Chart.name(service) + " to " + Chart.name(pod) + ": " + port);
                }
            }
        }
        for (JsonNode set : Chart.objects(rendered, "StatefulSet")) {
            String service = set.path("spec").path("serviceName").asString();
            assertTrue(Chart.objects(rendered, "Service").stream()
                    .anyMatch(s -> Chart.name(s).equals(service)));
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void volumesAndMountsFit(String name) {
        for (JsonNode workload : Chart.workloads(Chart.render(name))) {
            Set<String> volumes = new TreeSet<>();
            podSpec(workload)
                    .path("volumes")
                    .forEach(v -> volumes.add(v.path("name").asString()));
            workload.path("spec").path("volumeClaimTemplates").forEach(v -> volumes.add(Chart.name(v)));
            Set<String> mounts = new TreeSet<>();
            container(workload)
                    .path("volumeMounts")
                    .forEach(m -> mounts.add(m.path("name").asString()));
            assertEquals(volumes, mounts, Chart.name(workload));
            for (JsonNode mount : container(workload).path("volumeMounts")) {
                boolean isWritten =
                        Set.of("/data", "/tmp").contains(mount.path("mountPath").asString());
                assertEquals(!isWritten, mount.path("readOnly").asBoolean(), mount.toString());
            }
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void everyContainerIsProbedAndDrains(String name) {
        for (JsonNode workload : Chart.workloads(Chart.render(name))) {
            JsonNode container = container(workload);
            boolean isRouter = Chart.name(workload).endsWith("-router");
            Map<String, String> paths = Map.of(
                    "startupProbe", isRouter ? "/healthz" : "/startupz",
                    "livenessProbe", "/healthz",
                    "readinessProbe", "/readyz");
            paths.forEach((probe, path) -> {
                JsonNode get = container.path(probe).path("httpGet");
                assertEquals(path, get.path("path").asString(), Chart.name(workload) + " " + probe);
                assertTrue(portNames(workload).contains(get.path("port").asString()), probe);
                String scheme = get.path("scheme").asString("HTTP");
                assertEquals(isRouter ? "HTTPS" : "HTTP", scheme);
            });
            int grace = podSpec(workload).path("terminationGracePeriodSeconds").asInt();
            int pause = container
                    .path("lifecycle")
                    .path("preStop")
                    .path("sleep")
                    .path("seconds")
                    .asInt();
            int drain = switch (name) {
                case "gpu" -> isRouter ? 25 : 120;
                case "mixed" -> isRouter ? 60 : 25;
                default -> 25;
            };
            assertTrue(pause > 0 && grace > pause + drain, Chart.name(workload) + ": " + grace);
            assertTrue(container.path("resources").path("limits").has("memory"), Chart.name(workload));
            assertTrue(container.path("resources").path("requests").has("cpu"), Chart.name(workload));
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void podsAreRestricted(String name) {
        for (JsonNode workload : Chart.workloads(Chart.render(name))) {
            JsonNode pod = podSpec(workload);
            JsonNode user = pod.path("securityContext");
            assertTrue(user.path("runAsNonRoot").asBoolean());
            assertEquals(
                    "RuntimeDefault", user.path("seccompProfile").path("type").asString());
            assertEquals(!name.equals("mixed"), user.has("runAsUser"), "null leaves it to the platform");
            assertFalse(pod.path("automountServiceAccountToken").asBoolean(true));
            JsonNode process = container(workload).path("securityContext");
            assertFalse(process.path("allowPrivilegeEscalation").asBoolean(true));
            assertTrue(process.path("readOnlyRootFilesystem").asBoolean());
            assertEquals("[\"ALL\"]", process.path("capabilities").path("drop").toString());
            for (String shared : List.of("hostNetwork", "hostPID", "hostIPC")) {
                assertFalse(pod.has(shared), shared);
            }
            for (JsonNode volume : pod.path("volumes")) {
                if (volume.has("secret")) {
                    assertEquals(0440, volume.path("secret").path("defaultMode").asInt(), "not open to others");
                }
            }
        }
    }

    @Test
    void devicesAreAskedForOnlyWhereWanted() {
        var sets = Chart.objects(Chart.render("mixed"), "StatefulSet");
        assertEquals("2", gpus(sets.getFirst()).asString());
        assertTrue(gpus(sets.getLast()).isMissingNode());
        assertEquals(
                "1",
                gpus(Chart.objects(Chart.render("gpu"), "StatefulSet").getFirst())
                        .asString());
    }

    @Test
    void aChangedConfigurationRestartsItsPodsAndNoOthers() {
        var before = Chart.workloads(Chart.render("minimal"));
        var after = Chart.workloads(
                Chart.render(Chart.RELEASE, "minimal", command -> command.set("worker.config.cache.positions", 8192)));
        for (int i = 0; i < before.size(); i++) {
            boolean isWorker = before.get(i).path("kind").asString().equals("StatefulSet");
            assertEquals(isWorker, !before.get(i).equals(after.get(i)), Chart.name(before.get(i)));
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void nothingIsGenerated(String name) {
        assertEquals(List.of(), Chart.objects(Chart.render(name), "Secret"));
    }

    private static void validate(String kind, JsonElement object) throws IOException {
        switch (kind) {
            case "ConfigMap" -> V1ConfigMap.validateJsonElement(object);
            case "Deployment" -> V1Deployment.validateJsonElement(object);
            case "NetworkPolicy" -> V1NetworkPolicy.validateJsonElement(object);
            case "PodDisruptionBudget" -> V1PodDisruptionBudget.validateJsonElement(object);
            case "Service" -> V1Service.validateJsonElement(object);
            case "ServiceAccount" -> V1ServiceAccount.validateJsonElement(object);
            case "StatefulSet" -> V1StatefulSet.validateJsonElement(object);
            default -> fail("an object of the unexpected kind " + kind);
        }
    }

    private static List<JsonNode> selected(List<JsonNode> workloads, Map<String, String> wanted) {
        return workloads.stream()
                .filter(workload -> Chart.podLabels(workload).entrySet().containsAll(wanted.entrySet()))
                .toList();
    }

    private static JsonNode podSpec(JsonNode workload) {
        return workload.path("spec").path("template").path("spec");
    }

    private static JsonNode container(JsonNode workload) {
        return podSpec(workload).path("containers").path(0);
    }

    private static JsonNode gpus(JsonNode workload) {
        return container(workload).path("resources").path("limits").path("nvidia.com/gpu");
    }

    private static Set<String> portNames(JsonNode workload) {
        Set<String> names = new TreeSet<>();
        container(workload)
                .path("ports")
                .forEach(port -> names.add(port.path("name").asString()));
        return names;
    }
}
