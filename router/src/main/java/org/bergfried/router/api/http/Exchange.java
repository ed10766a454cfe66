package org.bergfried.router.api.http;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.bergfried.router.console.ConsoleFiles.ConsoleFile;
import org.jspecify.annotations.Nullable;

/// One request and its response, for blocking code on a virtual thread: writes wait until the network has taken
/// them, so a client that reads slowly slows nobody but itself.
final class Exchange {
    /// The client has gone, or reads nothing any more.
    static final class ClientGone extends Exception {
        private static final long serialVersionUID = 1L;

        ClientGone(String why) {
            super(why);
        }
    }

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Duration stallTimeout;
    private volatile @Nullable Runnable onGone;
    private volatile boolean isGone;

    /// Called on the event loop, before the request is read.
    Exchange(HttpServerRequest request, Duration stallTimeout) {
        this.request = request;
        this.response = request.response();
        this.stallTimeout = stallTimeout;
        response.closeHandler(closed -> gone());
        response.exceptionHandler(broken -> gone());
    }

    @Nullable
    String header(String name) {
        return request.getHeader(name);
    }

    /// Calls when the client goes away before the response is complete, also if it has gone already.
    void whenGone(Runnable action) {
        onGone = action;
        if (isGone) {
            action.run();
        }
    }

    /// Names the method that the path has; nothing if it is empty.
    void allow(String method) {
        if (!method.isEmpty()) {
            response.putHeader("Allow", method);
        }
    }

    /// Answers with a whole body.
    void send(int status, String contentType, byte[] body) throws ClientGone {
        response.setStatusCode(status).putHeader("Content-Type", contentType).putHeader("Cache-Control", "no-store");
        await(response.end(Buffer.buffer(body)));
    }

    /// Answers with a file, or with 304 where the client has it already; returns the status that was sent.
    int send(ConsoleFile file, Map<String, String> headers) throws ClientGone {
        headers.forEach(response::putHeader);
        response.putHeader("ETag", file.tag());
        if (file.isWhatTheClientHas(header("If-None-Match"))) {
            response.setStatusCode(304);
            await(response.end());
            return 304;
        }
        response.setStatusCode(200)
                .putHeader("Content-Type", file.type())
                .putHeader("Content-Length", Integer.toString(file.bytes().length)); // in answers to HEAD too
        await(response.end(Buffer.buffer(file.bytes())));
        return 200;
    }

    /// Sends the client to another path of this server.
    void redirect(String path) throws ClientGone {
        response.setStatusCode(308).putHeader("Location", path);
        await(response.end());
    }

    /// Answers with an error; a response that has begun can only be broken off.
    void send(HttpError error) throws ClientGone {
        if (response.headWritten()) {
            var _ = response.reset();
            throw new ClientGone("the answer was broken off");
        }
        if (error.retryAfterSeconds() != null) {
            response.putHeader("Retry-After", error.retryAfterSeconds());
        }
        if (error.status() == 401) {
            response.putHeader("WWW-Authenticate", "Bearer");
        }
        send(error.status(), "application/json", error.json());
    }

    /// Sends the headers of a stream of events at once.
    void beginEvents() throws ClientGone {
        begin("text/event-stream; charset=utf-8");
    }

    /// Sends the headers of a stream of lines of JSON at once.
    void beginLines() throws ClientGone {
        begin("application/x-ndjson");
    }

    private void begin(String contentType) throws ClientGone {
        response.setChunked(true)
                .putHeader("Content-Type", contentType)
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Accel-Buffering", "no");
        await(response.writeHead());
    }

    void write(Buffer events) throws ClientGone {
        await(response.write(events));
    }

    void end() throws ClientGone {
        await(response.end());
    }

    private void await(Future<Void> written) throws ClientGone {
        try {
            written.toCompletionStage().toCompletableFuture().get(stallTimeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException stalled) {
            var _ = response.reset();
            throw new ClientGone("the client has read nothing for " + stallTimeout.toSeconds() + " s");
        } catch (ExecutionException broken) {
            throw new ClientGone("the client went away");
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            throw new ClientGone("the router ends");
        }
    }

    private void gone() {
        boolean isFirst = !isGone;
        isGone = true;
        Runnable action = onGone;
        if (isFirst && action != null && !response.ended()) {
            action.run();
        }
    }
}
