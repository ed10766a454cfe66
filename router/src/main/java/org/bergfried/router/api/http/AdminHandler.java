package org.bergfried.router.api.http;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.api.StrictJson;
import org.bergfried.router.api.admin.AdminCalls;
import org.bergfried.router.api.admin.AdminGate;
import org.bergfried.router.api.admin.Feed;
import org.bergfried.router.auth.Caller;

/// `POST /admin/v1/{Service}/{Method}`: the services of `bergfried.admin.v1` with the JSON of their messages. An empty
/// body is an empty request. A stream comes as lines of JSON (`application/x-ndjson`), one response each; an empty
/// line says that the connection lives; a last line `{"error": ...}` says why a stream that had begun failed. As
/// proto's JSON has it, 64-bit numbers are strings.
final class AdminHandler {
    private static final Buffer NEW_LINE = Buffer.buffer("\n");

    private final AdminGate gate;
    private final JsonFormat.Parser parser = JsonFormat.parser();
    private final JsonFormat.Printer printer =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    AdminHandler(AdminGate gate) {
        this.gate = gate;
    }

    /// Answers; returns the status that was sent.
    ///
    /// @throws ClusterException if the call is refused or fails before anything was sent.
    int handle(Exchange exchange, AdminCalls.Call call, Caller caller, byte[] body)
            throws Exchange.ClientGone, InterruptedException {
        Message request = request(call, body);
        return switch (call) {
            case AdminCalls.Whole whole -> {
                Message answer = whole.run().answer(gate.administration(), caller, request);
                exchange.send(200, "application/json", json(answer).getBytes(StandardCharsets.UTF_8));
                yield 200;
            }
            case AdminCalls.Streamed streamed -> stream(exchange, streamed, caller, request);
        };
    }

    private int stream(Exchange exchange, AdminCalls.Streamed call, Caller caller, Message request)
            throws Exchange.ClientGone, InterruptedException {
        var lines = new Lines(exchange);
        exchange.whenGone(lines::close);
        try {
            call.run().send(gate.administration(), caller, request, lines);
        } catch (ClusterException failure) {
            if (!lines.hasBegun) {
                throw failure;
            }
            HttpError error = HttpError.of(failure);
            lines.write(Buffer.buffer(error.json()).appendBuffer(NEW_LINE));
            exchange.end();
            return error.status();
        }
        if (lines.isGone) {
            throw new Exchange.ClientGone("the client went away");
        }
        lines.begin();
        exchange.end();
        return 200;
    }

    private Message request(AdminCalls.Call call, byte[] body) {
        if (body.length == 0) {
            return call.newRequest().build();
        }
        String text = StrictJson.object(body).toString(); // one reader decides what JSON is
        try {
            Message.Builder builder = call.newRequest();
            parser.merge(text, builder);
            return builder.build();
        } catch (InvalidProtocolBufferException invalid) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, "the body is not a request: " + invalid.getMessage(), invalid);
        }
    }

    private String json(Message message) {
        try {
            return printer.print(message);
        } catch (InvalidProtocolBufferException bug) {
            throw new IllegalStateException("a response has no JSON form", bug);
        }
    }

    /// A stream of responses, one line each.
    private final class Lines implements Feed<Message> {
        private final Exchange exchange;
        private volatile boolean isGone;
        private boolean hasBegun; // used by the answering thread only

        Lines(Exchange exchange) {
            this.exchange = exchange;
        }

        @Override
        public void send(Message response) {
            write(Buffer.buffer(json(response)).appendBuffer(NEW_LINE));
        }

        @Override
        public void keepAlive() {
            write(NEW_LINE);
        }

        @Override
        public boolean isOpen() {
            return !isGone && gate.isOpen();
        }

        void close() {
            isGone = true;
        }

        void begin() throws Exchange.ClientGone {
            if (!hasBegun) {
                hasBegun = true;
                exchange.beginLines();
            }
        }

        private void write(Buffer line) {
            if (isGone) {
                return;
            }
            try {
                begin();
                exchange.write(line);
            } catch (Exchange.ClientGone gone) {
                isGone = true;
            }
        }
    }
}
