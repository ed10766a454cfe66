package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// The chart renders what was looked at, twice the same, and says readably what it refuses.
final class ChartRenderTest {
    @TempDir
    private Path scratch = Path.of("");

    @Test
    void helm3FindsNoFault() {
        var lint = new Helm(Chart.DIRECTORY).lint().strict().call();
        assertFalse(lint.isFailed(), () -> String.join("\n", lint.getMessages()));
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void helm4FindsNoFaultAndRendersTheSame(String name) throws Exception {
        var helm = Tool.find("bergfried.helm", "helm");
        String values = Chart.values(name).toString();
        var lint = helm.run(Chart.DIRECTORY, "lint", "--strict", "-f", values, ".");
        assertEquals(0, lint.exitCode(), lint.output());
        var render =
                helm.run(Chart.DIRECTORY, "template", Chart.RELEASE, ".", "--namespace", Chart.NAMESPACE, "-f", values);
        assertEquals(0, render.exitCode(), render.output());
        assertEquals(Chart.objects(Chart.read(Chart.golden(name))), Chart.objects(render.output()));
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void rendersWhatWasCheckedIn(String name) throws IOException {
        String rendered = Chart.render(name);
        Path seen = Chart.PROJECT.resolve("ops/target/chart/" + name + ".golden.yaml");
        Files.createDirectories(seen.getParent());
        Files.writeString(seen, rendered);
        assertEquals(
                Chart.read(Chart.golden(name)),
                rendered,
                () -> "look at the difference to " + seen + " and copy it if it is right");
    }

    @ParameterizedTest
    @FieldSource("org.bergfried.ops.verify.Chart#CASES")
    void rendersTheSameTwice(String name) {
        assertEquals(Chart.render(name), Chart.render(name));
    }

    @Test
    void refusesToRenderWithoutWhatIsRequired() {
        Map<String, String> required = Map.of(
                "tls.routerSecret", "a Secret with tls.crt",
                "tls.workerSecret", "a Secret with tls.crt",
                "apiKeys.secret", "the file of API keys",
                "seal.secret", "the sealing keys",
                "model.path", "path of the model",
                "model.existingClaim", "where the model is");
        required.forEach((value, why) -> refused(command -> command.set(value, ""), value, why));
    }

    @Test
    void refusesUnknownKeys() {
        refused(command -> command.set("routr.replicas", 2), "routr");
        refused(command -> command.set("router.replica", 2), "router", "replica");
        refused(command -> command.set("router.config.admit.runingMax", 2), "router", "runingMax");
        refused(command -> command.set("worker.config.backend", "vector"), "worker", "backend");
        refused(command -> command.withValuesFile(pool("replicsa: 2")), "pools", "replicsa");
    }

    @Test
    void refusesWrongTypesAndRanges() {
        refused(command -> command.set("router.replicas", "many"), "router", "replicas", "integer");
        refused(command -> command.set("router.replicas", 0), "router", "replicas", "1");
        refused(command -> command.set("worker.persistent", "perhaps"), "worker", "persistent", "boolean");
        refused(command -> command.set("podSecurity.runAsUser", 0), "podSecurity", "runAsUser", "1");
        refused(command -> command.set("model.path", "../secrets"), "model", "path");
        refused(command -> command.withValuesFile(pool("backend: cudaa")), "pools", "backend");
    }

    @Test
    void refusesWhatCannotWork() {
        refused(command -> command.set("model.hostPath", "/srv"), "both set");
        refused(command -> command.withValuesFile(pool("roles: [expert]")), "no pool", "trunk");
        refused(command -> command.withValuesFile(pool("roles: [trunk]")), "no pool", "expert");
        refused("a-release-name-of-more-than-28", command -> command, "release name", "28");
    }

    @Test
    void readmeIsMadeFromTheComments() throws Exception {
        var made = new Tool(Chart.DIRECTORY.resolve("readme")).run(Chart.DIRECTORY, "--print");
        assertEquals(0, made.exitCode(), made.output());
        assertEquals(Chart.read(Chart.DIRECTORY.resolve("README.md")), made.output(), "run helm/bergfried/readme");
    }

    private static void refused(UnaryOperator<TemplateCommand> settings, String... named) {
        refused(Chart.RELEASE, settings, named);
    }

    private static void refused(String release, UnaryOperator<TemplateCommand> settings, String... named) {
        var refusal = assertThrows(IllegalStateException.class, () -> Chart.render(release, "minimal", settings));
        for (String name : named) {
            assertTrue(
                    String.valueOf(refusal.getMessage()).contains(name),
                    () -> "\"" + name + "\" is not named: " + refusal.getMessage());
        }
    }

    /// Values with one pool that has a further key.
    private Path pool(String key) {
        Path file = scratch.resolve("pool.yaml");
        try {
            return Files.writeString(file, "pools: [{name: a, replicas: 1, resources: {}, " + key + "}]\n");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
