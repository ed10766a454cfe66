package org.bergfried.router.api.http;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.time.Duration;
import java.util.function.Consumer;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// Collects the body of a request on the event loop, within a size and a time.
final class Body {
    private final Vertx vertx;
    private final HttpServerRequest request;
    private final Duration timeout;
    private final Buffer bytes = Buffer.buffer();
    private boolean isOver; // used on the event loop only

    Body(Vertx vertx, HttpServerRequest request, Duration timeout) {
        this.vertx = vertx;
        this.request = request;
        this.timeout = timeout;
    }

    /// Exactly one of the two is called, on the event loop.
    void collect(Consumer<byte[]> complete, Consumer<HttpError> refused) {
        long timer = vertx.setTimer(
                timeout.toMillis(),
                expired -> refuse(
                        refused,
                        HttpError.of(
                                408,
                                ErrorReason.DEADLINE.name(),
                                "the body did not arrive within " + timeout.toSeconds() + " s; send it faster")));
        request.handler(piece -> {
            if (isOver) {
                return;
            }
            if (bytes.length() + piece.length() > Limits.REQUEST_BODY_BYTES) {
                refuse(refused, tooLarge());
            } else {
                bytes.appendBuffer(piece);
            }
        });
        request.exceptionHandler(broken -> {
            isOver = true;
            var _ = vertx.cancelTimer(timer);
        });
        request.endHandler(end -> {
            var _ = vertx.cancelTimer(timer);
            if (!isOver) {
                isOver = true;
                complete.accept(bytes.getBytes());
            }
        });
    }

    private void refuse(Consumer<HttpError> refused, HttpError error) {
        if (!isOver) {
            isOver = true;
            if (request.version() != HttpVersion.HTTP_2) {
                request.response().putHeader("Connection", "close");
            }
            var _ = vertx.setTimer(timeout.toMillis(), stillSending -> closeUnlessEnded());
            refused.accept(error);
        }
    }

    /// What else arrives of a refused body is dropped, but not for ever.
    private void closeUnlessEnded() {
        if (!request.isEnded()) {
            var _ = request.connection().close();
        }
    }

    private static HttpError tooLarge() {
        return HttpError.of(
                ErrorReason.TOO_LARGE.httpStatus(),
                ErrorReason.TOO_LARGE.name(),
                "the body has more than " + Limits.REQUEST_BODY_BYTES + " bytes, which is the limit; send less");
    }
}
