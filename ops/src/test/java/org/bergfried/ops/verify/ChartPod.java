package org.bergfried.ops.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// A pod as the chart describes it: what its container is told and given.
///
/// @param rendered all objects of the chart.
/// @param workload the Deployment or StatefulSet that it belongs to.
/// @param ordinal which of its pods.
record ChartPod(String rendered, JsonNode workload, int ordinal) {
    String name() {
        return Chart.name(workload) + "-" + ordinal;
    }

    JsonNode container() {
        return spec().path("containers").path(0);
    }

    List<String> arguments() {
        List<String> arguments = new ArrayList<>();
        container().path("args").forEach(argument -> arguments.add(argument.asString()));
        return arguments;
    }

    /// The file that the arguments name last.
    String configurationFile() {
        return arguments().getLast();
    }

    /// The environment as the processes see it.
    ///
    /// @param address the pod's own.
    Map<String, String> environment(String address) {
        Map<String, String> environment = new TreeMap<>(Map.of("POD_IP", address, "POD_NAME", name()));
        for (JsonNode variable : container().path("env")) {
            String value = variable.path("value").asString("");
            if (!value.isEmpty()) {
                for (String known : List.of("POD_IP", "POD_NAME")) {
                    value = value.replace("$(" + known + ")", environment.getOrDefault(known, ""));
                }
                environment.put(variable.path("name").asString(), value);
            }
        }
        return environment;
    }

    /// Where a volume is seen in the container.
    String mountPath(String volume) {
        return named(container().path("volumeMounts"), volume).path("mountPath").asString();
    }

    /// The files of the ConfigMap that is mounted as `config`, by name.
    Map<String, String> configuration() {
        String map = volume("config").path("configMap").path("name").asString();
        return Chart.texts(named(Chart.objects(rendered, "ConfigMap"), map).path("data"));
    }

    JsonNode volume(String name) {
        return named(spec().path("volumes"), name);
    }

    /// The number of a port of the container.
    int port(String name) {
        return named(container().path("ports"), name).path("containerPort").asInt();
    }

    private JsonNode spec() {
        return workload.path("spec").path("template").path("spec");
    }

    private static JsonNode named(Iterable<JsonNode> nodes, String name) {
        for (JsonNode node : nodes) {
            if (node.path("name").asString(Chart.name(node)).equals(name)) {
                return node;
            }
        }
        throw new AssertionError("there is no " + name);
    }
}
