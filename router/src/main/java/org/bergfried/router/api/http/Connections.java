package org.bergfried.router.api.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The open connections of the door: there is a most of them, and one without a running request is closed after a
/// while, however slowly its client sends a header. Requests that run keep their connection, however long an answer
/// takes.
final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    private final Vertx vertx;
    private final int most;
    private final Duration idleTimeout;
    private final Map<HttpConnection, Line> lines = new ConcurrentHashMap<>();

    /// Used on the connection's event loop only.
    private static final class Line {
        private int running;
        private long timer;
    }

    Connections(Vertx vertx, int most, Duration idleTimeout) {
        this.vertx = vertx;
        this.most = most;
        this.idleTimeout = idleTimeout;
    }

    /// On the event loop, with each new connection.
    void opened(HttpConnection connection) {
        if (lines.size() >= most) {
            LOG.debug("A connection is refused: {} are open, which is the limit", most);
            var _ = connection.close();
            return;
        }
        var line = new Line();
        lines.put(connection, line);
        connection.closeHandler(closed -> {
            lines.remove(connection);
            var _ = vertx.cancelTimer(line.timer);
        });
        awaitRequest(connection, line);
    }

    /// On the event loop, with each request.
    void accepted(HttpServerRequest request) {
        HttpConnection connection = request.connection();
        Line line = lines.get(connection);
        if (line == null) {
            return; // it is being closed
        }
        line.running++;
        var _ = vertx.cancelTimer(line.timer);
        request.response().endHandler(ended -> {
            line.running--;
            if (line.running == 0 && lines.containsKey(connection)) {
                awaitRequest(connection, line);
            }
        });
    }

    private void awaitRequest(HttpConnection connection, Line line) {
        line.timer = vertx.setTimer(idleTimeout.toMillis(), expired -> {
            var _ = connection.close();
        });
    }
}
