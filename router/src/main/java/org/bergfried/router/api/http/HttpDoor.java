package org.bergfried.router.api.http;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.KeyCertOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.X509KeyManager;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.router.api.InferenceGate;
import org.bergfried.router.api.ServedModel;
import org.bergfried.router.api.admin.AdminCalls;
import org.bergfried.router.api.admin.AdminGate;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Callers;
import org.bergfried.router.console.ConsoleFiles;
import org.bergfried.router.console.ConsoleFiles.ConsoleFile;
import org.bergfried.router.meter.RouterMeters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The HTTP server of the router.
public final class HttpDoor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpDoor.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final String JSON = "application/json";

    private final HttpConfig config;
    private final Callers callers;
    private final InferenceGate gate;
    private final RouterMeters meters;
    private final Supplier<String> scrape;
    private final CompletionHandler completions;
    private final AdminHandler admin;
    private final ConsoleFiles console = new ConsoleFiles();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Phaser inFlight = new Phaser(1);
    private final Vertx vertx;
    private final Connections connections;
    private final HttpServer server;

    /// Listens.
    ///
    /// @param keys the certificate to show, which may change; empty for plaintext.
    /// @param scrape gives the meters in Prometheus' text form.
    /// @throws ConfigException if the address cannot be had.
    public HttpDoor(
            HttpConfig config,
            Optional<X509KeyManager> keys,
            Callers callers,
            InferenceGate gate,
            AdminGate adminGate,
            RouterMeters meters,
            Supplier<String> scrape) {
        this.config = config;
        this.callers = callers;
        this.gate = gate;
        this.meters = meters;
        this.scrape = scrape;
        this.completions = new CompletionHandler(gate, config.commentInterval());
        this.admin = new AdminHandler(adminGate);
        this.vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(1).setInternalBlockingPoolSize(2));
        this.connections = new Connections(vertx, config.connectionsMax(), config.idleTimeout());
        this.server = vertx.createHttpServer(options(config, keys))
                .connectionHandler(connections::opened)
                .requestHandler(this::accept);
        listen();
    }

    private void listen() {
        try {
            server.listen().toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException refused) {
            close();
            throw new ConfigException(
                    "cannot listen on http " + config.host() + ":" + config.port() + ": " + refused.getCause(),
                    refused);
        }
    }

    /// The port that it listens on.
    public int port() {
        return server.actualPort();
    }

    /// Waits for the responses that run, then stops listening.
    public void drain(Duration timeout) throws InterruptedException {
        int phase = inFlight.arriveAndDeregister();
        try {
            if (phase >= 0) {
                inFlight.awaitAdvanceInterruptibly(phase, timeout.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (TimeoutException slowClients) {
            LOG.info("Closing connections of clients that have not read their answers");
        }
        await(server.shutdown(timeout), timeout.plus(CLOSE_TIMEOUT), "the HTTP server");
    }

    @Override
    public void close() {
        try {
            await(vertx.close(), CLOSE_TIMEOUT, "the HTTP threads");
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        threads.shutdown();
    }

    private static void await(Future<?> ended, Duration longest, String what) throws InterruptedException {
        try {
            var _ = ended.toCompletionStage().toCompletableFuture().get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException stuck) {
            LOG.warn("{} did not end within {} s", what, longest.toSeconds());
        } catch (ExecutionException failed) {
            LOG.warn("{} did not end cleanly", what, failed);
        }
    }

    private static HttpServerOptions options(HttpConfig config, Optional<X509KeyManager> keys) {
        var options = new HttpServerOptions()
                .setHost(config.host())
                .setPort(config.port())
                .setMaxHeaderSize(Limits.HEADER_BYTES)
                .setMaxInitialLineLength(8192)
                .setCompressionSupported(false)
                .setHttp2ClearTextEnabled(false) // one answer per connection: closing one ends no other
                .setUseAlpn(false)
                .setHandle100ContinueAutomatically(true)
                .setTcpNoDelay(true);
        keys.ifPresent(manager -> options.setSsl(true).setKeyCertOptions(KeyCertOptions.wrap(manager)));
        return options;
    }

    /// On the event loop: the body is collected here, everything else happens on a virtual thread.
    private void accept(HttpServerRequest request) {
        connections.accepted(request);
        var exchange = new Exchange(request, config.stallTimeout());
        Route route = Route.of(request.method().name(), request.path() == null ? "/" : request.path());
        new Body(vertx, request, config.bodyTimeout())
                .collect(
                        body -> execute(() -> serve(route, exchange, body)),
                        error -> execute(() -> refuse(route, exchange, error)));
    }

    private void execute(Runnable response) {
        inFlight.register();
        threads.execute(() -> {
            try {
                response.run();
            } finally {
                inFlight.arriveAndDeregister();
            }
        });
    }

    private void refuse(Route route, Exchange exchange, HttpError error) {
        var timing = meters.begin();
        try {
            exchange.send(error);
        } catch (Exchange.ClientGone gone) {
            LOG.debug("The client of {} went away", route.call());
        }
        timing.end("http", route.call(), Integer.toString(error.status()));
    }

    private void serve(Route route, Exchange exchange, byte[] body) {
        var timing = meters.begin();
        int status;
        try {
            status = answer(route, exchange, body);
        } catch (Exchange.ClientGone gone) {
            status = ErrorReason.CANCELLED.httpStatus();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            status = ErrorReason.DRAINING.httpStatus();
        }
        timing.end("http", route.call(), Integer.toString(status));
    }

    private int answer(Route route, Exchange exchange, byte[] body) throws Exchange.ClientGone, InterruptedException {
        HttpError error;
        try {
            return dispatch(route, exchange, body);
        } catch (ClusterException refused) {
            error = HttpError.of(refused);
        } catch (RuntimeException bug) {
            LOG.error("A call of {} failed because of a bug", route.call(), bug);
            error = HttpError.of(500, ErrorReason.INTERNAL.name(), "internal error; the router's log says more");
        }
        exchange.send(error);
        return error.status();
    }

    private int dispatch(Route route, Exchange exchange, byte[] body) throws Exchange.ClientGone, InterruptedException {
        return switch (route) {
            case Route.Health() -> text(exchange, 200, "ok\n");
            case Route.Ready() -> gate.isReady() ? text(exchange, 200, "ready\n") : text(exchange, 503, "not ready\n");
            case Route.Metrics() -> metrics(exchange);
            case Route.Completions() -> completions.handle(exchange, caller(exchange), body);
            case Route.Models() ->
                json(exchange, ChatJson.models(gate.inference().models(caller(exchange))));
            case Route.OneModel(String name) -> json(exchange, ChatJson.bytes(model(caller(exchange), name)));
            case Route.Console(String path) -> console(exchange, path);
            case Route.Admin(String method, AdminCalls.Call call) ->
                admin.handle(exchange, call, caller(exchange), body);
            case Route.Unknown(HttpError error, String allowed) -> {
                exchange.allow(allowed);
                exchange.send(error);
                yield error.status();
            }
        };
    }

    private Caller caller(Exchange exchange) {
        return callers.authenticate(exchange.header("Authorization"));
    }

    private Object model(Caller caller, String name) {
        var models = gate.inference().models(caller);
        return models.stream()
                .filter(model -> model.name().equals(name))
                .findFirst()
                .map(ChatJson::model)
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.MODEL_NOT_FOUND,
                        "the model \"" + name + "\" is not served; served are "
                                + models.stream().map(ServedModel::name).toList()));
    }

    private int console(Exchange exchange, String path) throws Exchange.ClientGone {
        if (path.equals("/")) {
            exchange.redirect(Route.CONSOLE);
            return 308;
        }
        Optional<ConsoleFile> file = console.file(path);
        if (file.isEmpty()) {
            exchange.send(HttpError.of(404, "NOT_FOUND", "the console has no such file"));
            return 404;
        }
        return exchange.send(file.get(), console.headersOfAll());
    }

    private int metrics(Exchange exchange) throws Exchange.ClientGone {
        exchange.send(
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                scrape.get().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return 200;
    }

    private static int text(Exchange exchange, int status, String text) throws Exchange.ClientGone {
        exchange.send(status, "text/plain; charset=utf-8", text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return status;
    }

    private static int json(Exchange exchange, byte[] body) throws Exchange.ClientGone {
        exchange.send(200, JSON, body);
        return 200;
    }
}
