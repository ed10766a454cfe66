package org.bergfried.ops.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Asks processes whether they can produce a token.
final class HealthClient implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(PATIENCE)
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();

    /// Whether the process answers its `/readyz` with 200.
    boolean ready(ClusterState.Member member) {
        var request = HttpRequest.newBuilder(URI.create(member.health() + "/readyz"))
                .timeout(PATIENCE)
                .build();
        try {
            return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// Whether each living member of a cluster is ready, asked at the same time.
    Map<String, Boolean> ready(ClusterState state) {
        Map<String, Boolean> answers = new ConcurrentHashMap<>();
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            for (ClusterState.Member member : state.processes()) {
                threads.execute(() -> answers.put(member.id(), member.process().isPresent() && ready(member)));
            }
        }
        return answers;
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
