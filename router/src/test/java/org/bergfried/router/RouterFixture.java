package org.bergfried.router;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.cluster.MemoryCluster;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A router with fake workers, all on loopback, and an HTTP client.
final class RouterFixture implements AutoCloseable {
    static final JsonMapper JSON = JsonMapper.shared();

    final FakeModel model = new FakeModel();
    final MemoryCluster cluster = new MemoryCluster(new SystemClock(), MemberRole.WORKER);
    final List<FakeEngine> engines = new ArrayList<>();
    final List<Router> routers = new ArrayList<>();
    final HttpClient client = HttpClient.newHttpClient();

    /// A router with so many workers that produce without limit.
    static RouterFixture serving(int workers) throws Exception {
        var fixture = new RouterFixture();
        for (int i = 0; i < workers; i++) {
            fixture.startEngine("w" + i, 1).allowAll();
        }
        fixture.startRouter("");
        return fixture;
    }

    FakeEngine startEngine(String id, long startNumber) throws IOException {
        var engine = new FakeEngine(id, startNumber, model);
        engines.add(engine);
        cluster.directory().announce(engine.announcement());
        return engine;
    }

    Router startRouter(String yaml) throws Exception {
        return startRouter(yaml, cluster.join(MemberRole.ROUTER));
    }

    /// Starts a router and waits until it is ready.
    Router startRouter(String yaml, Cluster member) throws Exception {
        var router = new Router(config(yaml), new SystemClock(), new Random(routers.size())::nextLong);
        routers.add(router);
        router.join(member);
        awaitStatus(router, "/readyz", 200);
        return router;
    }

    static RouterConfig config(String yaml) {
        String base = "sealKeyFile: unused\ndrain: 5s\n";
        String ports = yaml.contains("http:") ? "" : "http: {port: 0}\n";
        return ConfigLoader.parse(
                RouterConfig.class, "router.yaml", base + ports + "grpc: {port: 0}\n" + yaml, Map.of());
    }

    void awaitStatus(Router router, String path, int status) throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (get(router, path).statusCode() != status) {
            if (System.nanoTime() > end) {
                throw new AssertionError(path + " did not answer " + status + " within 20 s");
            }
            Thread.onSpinWait();
        }
    }

    HttpResponse<String> get(Router router, String path) throws Exception {
        return client.send(HttpRequest.newBuilder(uri(router, path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String json) throws Exception {
        return client.send(request(routers.getFirst(), json), HttpResponse.BodyHandlers.ofString());
    }

    /// The body of a successful whole answer.
    JsonNode whole(String json) throws Exception {
        HttpResponse<String> response = post(json);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /// The lines of a stream, as they come.
    Iterator<String> lines(String json) throws Exception {
        HttpResponse<Stream<String>> response =
                client.send(request(routers.getFirst(), json), HttpResponse.BodyHandlers.ofLines());
        return response.body().iterator();
    }

    HttpRequest request(Router router, String json) {
        return HttpRequest.newBuilder(uri(router, "/v1/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
    }

    static URI uri(Router router, String path) {
        return URI.create("http://127.0.0.1:" + router.httpPort() + path);
    }

    /// A question with further fields.
    static String ask(String more) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of Kenya?\"}]" + more + "}";
    }

    @Override
    public void close() {
        client.close();
        for (Router router : routers) {
            router.close();
        }
        engines.forEach(FakeEngine::close);
        cluster.close();
    }
}
