package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;

/// The network policies, worked out by their rules: exactly the connections that are needed are allowed.
final class ChartNetworkTest {
    private static final int HTTP = 8080;
    private static final int GRPC = 9090;
    private static final int WORKER_GRPC = 9091;
    private static final int WORKER_HTTP = 8081;
    private static final int CLUSTER = 5701;
    private static final int DNS = 53;
    private static final List<Integer> PORTS = List.of(HTTP, GRPC, WORKER_GRPC, WORKER_HTTP, CLUSTER, DNS, 443);

    /// A pod somewhere.
    private record Pod(String name, Map<String, String> labels, Map<String, String> namespace) {
        boolean isOurs() {
            return "bergfried".equals(labels.get("app.kubernetes.io/name"));
        }

        boolean isRouter() {
            return isOurs() && "router".equals(labels.get("app.kubernetes.io/component"));
        }

        boolean isIn(String key, String value) {
            return value.equals(namespace.get(key));
        }
    }

    private static final Map<String, String> OWN = Map.of("kubernetes.io/metadata.name", Chart.NAMESPACE);
    private static final Pod NEIGHBOUR = new Pod("neighbour", Map.of("app", "shop"), OWN);
    private static final Pod DNS_SERVER =
            new Pod("dns", Map.of("k8s-app", "kube-dns"), Map.of("kubernetes.io/metadata.name", "kube-system"));
    private static final Pod CHAT = new Pod("chat", Map.of(), Map.of("team", "chat"));
    private static final Pod MONITOR =
            new Pod("monitor", Map.of(), Map.of("kubernetes.io/metadata.name", "monitoring"));

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void exactlyWhatIsNeededIsAllowed(String name) {
        String rendered = Chart.render(name);
        List<JsonNode> policies = Chart.objects(rendered, "NetworkPolicy");
        List<Pod> ours = ours(rendered);
        List<Pod> all = new ArrayList<>(ours);
        all.addAll(List.of(NEIGHBOUR, DNS_SERVER, CHAT, MONITOR));
        for (Pod from : all) {
            for (Pod to : all) {
                for (int port : PORTS) {
                    if (from.isOurs() || to.isOurs()) {
                        assertEquals(
                                needed(name, from, to, port),
                                allowed(policies, from, to, port),
                                from.name() + " to " + to.name() + ":" + port);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void everyPodIsClosedInBothDirections(String name) {
        String rendered = Chart.render(name);
        for (Pod pod : ours(rendered)) {
            for (String direction : List.of("Ingress", "Egress")) {
                assertTrue(
                        Chart.objects(rendered, "NetworkPolicy").stream()
                                .anyMatch(policy -> governs(policy, pod, direction)),
                        pod.name() + " " + direction);
            }
        }
    }

    private static boolean needed(String name, Pod from, Pod to, int port) {
        if (from.isOurs() && to.isOurs()) {
            return port == CLUSTER || (port == WORKER_GRPC && !to.isRouter());
        }
        if (from.isOurs()) {
            return to.equals(DNS_SERVER) && port == DNS;
        }
        boolean isMixed = name.equals("mixed");
        boolean isClient = isMixed ? from.equals(CHAT) : from.equals(NEIGHBOUR);
        boolean monitors = isMixed && from.equals(MONITOR);
        return to.isRouter()
                ? (isClient && (port == HTTP || port == GRPC)) || (monitors && port == HTTP)
                : monitors && port == WORKER_HTTP;
    }

    private static boolean allowed(List<JsonNode> policies, Pod from, Pod to, int port) {
        return passes(policies, "Egress", from, to, port) && passes(policies, "Ingress", to, from, port);
    }

    /// Whether the policies of one side let a connection pass: without any policy everything passes.
    private static boolean passes(List<JsonNode> policies, String direction, Pod side, Pod peer, int port) {
        List<JsonNode> governing = policies.stream()
                .filter(policy -> governs(policy, side, direction))
                .toList();
        boolean isOut = direction.equals("Egress");
        for (JsonNode policy : governing) {
            for (JsonNode rule : policy.path("spec").path(isOut ? "egress" : "ingress")) {
                boolean peerFits = false;
                for (JsonNode selector : rule.path(isOut ? "to" : "from")) {
                    peerFits |= matches(selector, peer);
                }
                if (peerFits && hasPort(rule, port)) {
                    return true;
                }
            }
        }
        return governing.isEmpty();
    }

    private static boolean governs(JsonNode policy, Pod pod, String direction) {
        boolean applies = false;
        for (JsonNode type : policy.path("spec").path("policyTypes")) {
            applies |= type.asString().equals(direction);
        }
        return applies && pod.isOurs() && fits(policy.path("spec").path("podSelector"), pod.labels());
    }

    private static boolean matches(JsonNode peer, Pod pod) {
        boolean namespaceFits = peer.has("namespaceSelector")
                ? fits(peer.path("namespaceSelector"), pod.namespace())
                : pod.isIn("kubernetes.io/metadata.name", Chart.NAMESPACE);
        return namespaceFits && fits(peer.path("podSelector"), pod.labels());
    }

    private static boolean fits(JsonNode selector, Map<String, String> labels) {
        return labels.entrySet()
                .containsAll(Chart.texts(selector.path("matchLabels")).entrySet());
    }

    private static boolean hasPort(JsonNode rule, int port) {
        for (JsonNode allowed : rule.path("ports")) {
            if (allowed.path("protocol").asString().equals("TCP")
                    && allowed.path("port").asInt() == port) {
                return true;
            }
        }
        return false;
    }

    private static List<Pod> ours(String rendered) {
        return Chart.workloads(rendered).stream()
                .map(workload -> new Pod(Chart.name(workload), Chart.podLabels(workload), OWN))
                .toList();
    }
}
