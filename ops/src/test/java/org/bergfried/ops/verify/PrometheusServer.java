package org.bergfried.ops.verify;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real Prometheus on loopback, which reads the metrics of some processes each second and watches our rules.
final class PrometheusServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient client = HttpClient.newHttpClient();
    private final Process process;
    private final Path log;
    private final String url;

    /// @param folder for what it keeps.
    /// @param targets host:port of each process.
    PrometheusServer(Path folder, List<String> targets) throws IOException {
        Path config = Files.writeString(
                folder.resolve("prometheus.yaml"),
                "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: ["
                        + Observability.DIRECTORY.resolve("alerts.yaml")
                        + "]\nscrape_configs: [{job_name: bergfried, static_configs: [{targets: ["
                        + targets.stream().map(target -> "\"" + target + "\"").collect(Collectors.joining(", "))
                        + "]}]}]\n");
        String address = "127.0.0.1:" + RunningCluster.freePort();
        url = "http://" + address;
        log = folder.resolve("prometheus.log");
        process = new ProcessBuilder(
                        Tool.find("bergfried.prometheus", "prometheus")
                                .program()
                                .toString(),
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=" + address)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Await.until("Prometheus answers", PATIENCE, this::answers);
    }

    /// The samples that an expression gives now.
    List<Double> query(String expression) throws IOException {
        JsonNode result = get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8))
                .path("result");
        return result.valueStream()
                .map(sample ->
                        Double.valueOf(sample.path("value").path(1).asString().replace("Inf", "Infinity")))
                .toList();
    }

    /// All rules as the server sees them.
    List<JsonNode> rules() throws IOException {
        return get("/api/v1/rules")
                .path("groups")
                .valueStream()
                .flatMap(group -> group.path("rules").valueStream())
                .toList();
    }

    private boolean answers() throws IOException {
        if (!process.isAlive()) {
            throw new AssertionError("Prometheus ended: " + Files.readString(log));
        }
        try {
            return fetch("/-/ready").statusCode() == 200; // 503 while it starts
        } catch (ConnectException notYet) {
            return false;
        }
    }

    private JsonNode get(String path) throws IOException {
        String body = fetch(path).body();
        JsonNode answer = JsonMapper.shared().readTree(body);
        if (!answer.path("status").asString("").equals("success")) {
            throw new AssertionError(path + " was answered " + body);
        }
        return answer.path("data");
    }

    private HttpResponse<String> fetch(String path) throws IOException {
        try {
            return client.send(HttpRequest.newBuilder(URI.create(url + path)).build(), BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        process.destroy();
        process.onExit().join();
    }
}
