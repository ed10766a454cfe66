package org.bergfried.ops.verify;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// The chart in `helm/bergfried`, rendered by Helm 3 in this process.
final class Chart {
    static final String RELEASE = "demo";
    static final String NAMESPACE = "llm";
    static final List<String> CASES = List.of("minimal", "gpu", "mixed");
    static final Path PROJECT = project();
    static final Path DIRECTORY = PROJECT.resolve("helm/bergfried");

    private static final Path RESOURCES = PROJECT.resolve("ops/src/test/resources/chart");
    private static final YAMLMapper YAML = new YAMLMapper();

    private Chart() {}

    /// The values of a case.
    static Path values(String name) {
        return RESOURCES.resolve(name + ".values.yaml");
    }

    /// What the case renders to, as it was looked at and checked in.
    static Path golden(String name) {
        return RESOURCES.resolve(name + ".golden.yaml");
    }

    /// The chart rendered with the values of a case.
    static String render(String name) {
        return render(RELEASE, name, command -> command);
    }

    /// The chart rendered with further settings.
    static String render(String release, String name, UnaryOperator<TemplateCommand> settings) {
        var command = new Helm(DIRECTORY)
                .template()
                .withName(release)
                .withNamespace(NAMESPACE)
                .withKubeVersion("1.34.0")
                .withValuesFile(values(name));
        return settings.apply(command).call();
    }

    /// All objects of a render, in its order.
    static List<JsonNode> objects(String rendered) {
        List<JsonNode> objects = new ArrayList<>();
        for (JsonNode document :
                YAML.readerFor(JsonNode.class).<JsonNode>readValues(rendered).readAll()) {
            if (document.isObject()) {
                objects.add(document);
            }
        }
        return objects;
    }

    /// Objects of one kind.
    static List<JsonNode> objects(String rendered, String kind) {
        return objects(rendered).stream()
                .filter(object -> object.path("kind").asString().equals(kind))
                .toList();
    }

    /// Deployments and StatefulSets.
    static List<JsonNode> workloads(String rendered) {
        return objects(rendered).stream()
                .filter(object -> object.path("spec").has("template"))
                .toList();
    }

    static String name(JsonNode object) {
        return object.path("metadata").path("name").asString();
    }

    /// A map of texts, such as labels.
    static Map<String, String> texts(JsonNode object) {
        Map<String, String> texts = new java.util.TreeMap<>();
        object.properties()
                .forEach(entry -> texts.put(entry.getKey(), entry.getValue().asString()));
        return texts;
    }

    /// The labels of a workload's pods.
    static Map<String, String> podLabels(JsonNode workload) {
        return texts(workload.path("spec").path("template").path("metadata").path("labels"));
    }

    private static Path project() {
        Path here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("helm/bergfried"))) {
            Path parent = here.getParent();
            if (parent == null) {
                throw new IllegalStateException("the tests run outside of the project");
            }
            here = parent;
        }
        return here;
    }

    static String read(Path file) throws IOException {
        return Files.readString(file);
    }
}
