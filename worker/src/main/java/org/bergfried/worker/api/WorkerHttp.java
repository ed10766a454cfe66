package org.bergfried.worker.api;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.bergfried.contract.ConfigException;

/// Health and metrics over HTTP: `/startupz` (loading makes progress, and how far it is, or is done), `/healthz`
/// (the same, and the loops turn), `/readyz` (a token can be produced), `/metrics` (Prometheus). Nothing else is
/// served, and no body is read.
public final class WorkerHttp implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService handlers = Executors.newVirtualThreadPerTaskExecutor();

    /// Starts listening.
    ///
    /// @param port    0 takes a free one.
    /// @param loading what is being loaded and how far it is; empty if all is.
    /// @param stuck   why loading does not go on, or the model cannot be served any more; empty if all is well.
    /// @param healthy whether the process turns.
    /// @param ready   whether a token can be produced.
    /// @param metrics the text of `/metrics`.
    public WorkerHttp(
            String host,
            int port,
            Supplier<Optional<String>> loading,
            Supplier<Optional<String>> stuck,
            BooleanSupplier healthy,
            BooleanSupplier ready,
            Supplier<String> metrics) {
        try {
            server = HttpServer.create(new InetSocketAddress(host, port), 0);
        } catch (IOException refused) {
            throw new ConfigException(
                    "cannot listen on http " + host + ":" + port + ": " + refused.getMessage(), refused);
        }
        server.createContext(
                "/startupz",
                exchange -> answer(exchange, "/startupz", stuck, loading.get().orElse("ok")));
        server.createContext(
                "/healthz",
                exchange -> answer(
                        exchange,
                        "/healthz",
                        () -> stuck.get().or(() -> unless(healthy, "the step loop does not turn"))));
        server.createContext("/readyz", exchange -> answer(exchange, "/readyz", () -> unless(ready, "not yet")));
        server.createContext(
                "/metrics",
                exchange -> send(
                        exchange,
                        exact(exchange, "/metrics") ? 200 : 404,
                        "text/plain; version=0.0.4; charset=utf-8",
                        exact(exchange, "/metrics") ? metrics.get() : "not found\n"));
        server.createContext("/", exchange -> send(exchange, 404, "text/plain", "not found\n"));
        server.setExecutor(handlers);
        server.start();
    }

    /// The port that it listens on.
    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        handlers.close();
    }

    private static Optional<String> unless(BooleanSupplier holds, String why) {
        return holds.getAsBoolean() ? Optional.empty() : Optional.of(why);
    }

    /// @param fault what is wrong, or empty.
    private static void answer(HttpExchange exchange, String path, Supplier<Optional<String>> fault)
            throws IOException {
        answer(exchange, path, fault, "ok");
    }

    /// @param good what to say if nothing is wrong.
    private static void answer(HttpExchange exchange, String path, Supplier<Optional<String>> fault, String good)
            throws IOException {
        if (!exact(exchange, path)) {
            send(exchange, 404, "text/plain", "not found\n");
            return;
        }
        Optional<String> why = fault.get();
        send(exchange, why.isEmpty() ? 200 : 503, "text/plain", why.orElse(good) + "\n");
    }

    private static boolean exact(HttpExchange exchange, String path) {
        return exchange.getRequestURI().getPath().equals(path);
    }

    private static void send(HttpExchange exchange, int status, String type, String body) throws IOException {
        try (exchange) {
            boolean reads = exchange.getRequestMethod().equals("GET");
            byte[] bytes = (reads ? body : "only GET is served\n").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            exchange.sendResponseHeaders(reads ? status : 405, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }
}
