package org.bergfried.router.api.http;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.api.Answer;
import org.bergfried.router.api.AnswerEvent;
import org.bergfried.router.api.InferenceGate;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.chat.Delta;
import org.jspecify.annotations.Nullable;

/// `POST /v1/chat/completions`, streamed and whole.
final class CompletionHandler {
    private static final Buffer COMMENT = Buffer.buffer(": keep-alive\n\n");
    private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");

    private final InferenceGate gate;
    private final Duration commentInterval;

    CompletionHandler(InferenceGate gate, Duration commentInterval) {
        this.gate = gate;
        this.commentInterval = commentInterval;
    }

    /// Answers; returns the status that was sent.
    ///
    /// @throws ClusterException if the call is refused or fails before anything was sent.
    int handle(Exchange exchange, Caller caller, byte[] body) throws Exchange.ClientGone, InterruptedException {
        ChatRequest request = ChatRequestReader.read(body);
        Answer answer = gate.inference().chat(caller, request.call(), !request.stream(), Optional.empty());
        exchange.whenGone(() -> answer.cancel("the client went away"));
        try {
            if (request.stream()) {
                return stream(exchange, answer, request.includeUsage());
            }
            return whole(exchange, answer);
        } catch (Exchange.ClientGone gone) {
            answer.cancel(String.valueOf(gone.getMessage()));
            throw gone;
        } catch (RuntimeException failure) {
            answer.cancel("the answer could not be given"); // does nothing if the answer itself has failed
            throw failure;
        }
    }

    private int whole(Exchange exchange, Answer answer) throws Exchange.ClientGone, InterruptedException {
        var text = new WholeAnswer();
        AnswerEvent.@Nullable Started started = null;
        while (true) {
            Optional<AnswerEvent> event = answer.next(commentInterval);
            if (event.isEmpty()) {
                continue; // nothing can be said before the answer is whole
            }
            switch (event.get()) {
                case AnswerEvent.Started first -> started = first;
                case AnswerEvent.More(Delta delta) -> text.add(delta);
                case AnswerEvent.Finished finished -> {
                    byte[] json = new ChatJson(answer, false).whole(require(started), text, finished);
                    exchange.send(200, "application/json", json);
                    return 200;
                }
            }
        }
    }

    private int stream(Exchange exchange, Answer answer, boolean includeUsage)
            throws Exchange.ClientGone, InterruptedException {
        exchange.beginEvents();
        var json = new ChatJson(answer, includeUsage);
        try {
            while (true) {
                Optional<AnswerEvent> event = answer.next(commentInterval);
                if (event.isEmpty()) {
                    exchange.write(COMMENT);
                    continue;
                }
                switch (event.get()) {
                    case AnswerEvent.Started first -> exchange.write(data(json.startChunk(first)));
                    case AnswerEvent.More(Delta delta) -> exchange.write(numbered(delta, json.deltaChunk(delta)));
                    case AnswerEvent.Finished finished -> {
                        finish(exchange, json, finished, includeUsage);
                        return 200;
                    }
                }
            }
        } catch (ClusterException failure) {
            HttpError error = HttpError.of(failure);
            exchange.write(data(error.json()));
            exchange.end();
            return error.status();
        }
    }

    private static void finish(Exchange exchange, ChatJson json, AnswerEvent.Finished finished, boolean includeUsage)
            throws Exchange.ClientGone {
        exchange.write(data(json.finishChunk(finished)));
        if (includeUsage) {
            exchange.write(data(json.usageChunk(finished)));
        }
        exchange.write(DONE);
        exchange.end();
    }

    private static Buffer numbered(Delta delta, byte[] json) {
        return Buffer.buffer("id: " + delta.position() + "\n").appendBuffer(data(json));
    }

    private static Buffer data(byte[] json) {
        return Buffer.buffer(json.length + 8)
                .appendBytes("data: ".getBytes(StandardCharsets.US_ASCII))
                .appendBytes(json)
                .appendBytes("\n\n".getBytes(StandardCharsets.US_ASCII));
    }

    private static AnswerEvent.Started require(AnswerEvent.@Nullable Started started) {
        if (started == null) {
            throw new ClusterException(ErrorReason.INTERNAL, "an answer ended before it started");
        }
        return started;
    }
}
