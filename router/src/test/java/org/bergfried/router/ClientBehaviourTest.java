package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Clients that vanish, that read nothing, and that come when all turns are taken.
@Timeout(60)
final class ClientBehaviourTest {
    private static final String STREAM = ",\"seed\":5,\"max_tokens\":2000,\"ignore_eos\":true,\"stream\":true";

    private final RouterFixture fixture = new RouterFixture();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void aVanishedClientFreesItsHomeAtOnce() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        engine.allow(5);
        try (Socket socket = send(router, STREAM)) {
            readUntil(socket.getInputStream(), "id: 2");
        }
        assertTrue(engine.cancelled.tryAcquire(20, TimeUnit.SECONDS), "the home still works for nobody");
    }

    @Test
    void aVanishedClientOfAWholeAnswerFreesItsHomeToo() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        try (Socket socket = send(router, STREAM.replace(",\"stream\":true", ""))) {
            engine.opened.acquire();
            assertTrue(socket.isConnected());
        }
        assertTrue(engine.cancelled.tryAcquire(20, TimeUnit.SECONDS), "the home still works for nobody");
    }

    @Test
    void aStopStringFreesTheHomeAtOnce() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        fixture.startRouter("");
        engine.allow(fixture.model.scriptLength());
        String stop = RouterFixture.ask(",\"temperature\":0,\"ignore_eos\":true,\"stop\":\"Nairobi\"");
        assertEquals(
                "The capital of Kenya is ",
                fixture.whole(stop).at("/choices/0/message/content").stringValue());
        assertTrue(engine.cancelled.tryAcquire(20, TimeUnit.SECONDS), "the home goes on past the stop string");
    }

    @Test
    void aClientThatReadsNothingStallsNobody() throws Exception {
        fixture.startEngine("w1", 1).allowAll();
        Router router = fixture.startRouter("http: {port: 0, stallTimeout: 1s}\n");
        try (Socket deaf = send(router, STREAM.replace("2000", "1900"))) {
            deaf.setReceiveBufferSize(4096);
            for (int i = 0; i < 5; i++) {
                SseText other = SseText.all(fixture.lines(RouterFixture.ask(",\"temperature\":0,\"stream\":true")));
                assertEquals(FakeModel.CONTENT, other.content.toString());
            }
            fixture.awaitStatus(router, "/healthz", 200);
        }
    }

    @Test
    void refusesEarlyWhenTheQueueIsFull() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("admit: {runningMax: 1, queuedMax: 0}\n");
        try (Socket first = send(router, STREAM)) {
            engine.opened.acquire();
            assertTrue(first.isConnected());
            HttpResponse<String> refused = fixture.post(RouterFixture.ask(""));
            assertEquals(429, refused.statusCode());
            assertEquals("1", refused.headers().firstValue("retry-after").orElseThrow());
            assertTrue(refused.body().contains("QUEUE_FULL"), refused.body());
        }
    }

    @Test
    void aQuietStreamGetsCommentLines() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        fixture.startRouter("http: {port: 0, commentInterval: 100ms}\n");
        var stream = new SseText(fixture.lines(RouterFixture.ask(",\"max_tokens\":3,\"stream\":true")));
        while (stream.comments.size() < 3 && stream.readLine()) {
            // waits
        }
        engine.allowAll();
        while (stream.readLine()) {
            // to the end
        }
        assertTrue(stream.done);
    }

    @Test
    void drainsRunningAnswersAndTakesNothingNew() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        engine.allow(5);
        var stream = new SseText(fixture.lines(RouterFixture.ask(",\"seed\":5,\"max_tokens\":40,\"stream\":true")));
        stream.readDeltas(2);
        Thread drain = Thread.ofVirtual().start(() -> {
            try {
                router.drain(Duration.ofSeconds(5));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        });
        fixture.awaitStatus(router, "/readyz", 503);
        assertEquals(503, fixture.post(RouterFixture.ask("")).statusCode());
        engine.allowAll();
        while (stream.readLine()) {
            // to the end
        }
        assertEquals("length", stream.finishReason);
        drain.join();
    }

    @Test
    void connectionsWithoutARequestAreClosedAndLongAnswersAreNot() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("http: {port: 0, idleTimeout: 300ms}\n");
        try (Socket answered = send(router, ",\"temperature\":0");
                Socket silent = connect(router);
                Socket unfinished = connect(router)) {
            engine.opened.acquire();
            unfinished.getOutputStream().write("GET /healthz HTTP/1.1\r\nHost: ".getBytes(StandardCharsets.UTF_8));
            assertEquals(-1, silent.getInputStream().read());
            assertEquals(-1, unfinished.getInputStream().read());
            engine.allowAll();
            readUntil(answered.getInputStream(), "Nairobi");
        }
    }

    @Test
    void connectionsBeyondTheLimitAreClosedAtOnce() throws Exception {
        fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("http: {port: 0, connectionsMax: 2}\n"); // the fixture's client has one
        try (Socket second = connect(router)) {
            second.getOutputStream()
                    .write("GET /healthz HTTP/1.1\r\nHost: router\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            readUntil(second.getInputStream(), "200 OK");
            try (Socket third = connect(router)) {
                assertEquals(-1, third.getInputStream().read());
            }
        }
        fixture.awaitStatus(router, "/readyz", 200);
    }

    private static Socket connect(Router router) throws Exception {
        return new Socket(InetAddress.getLoopbackAddress(), router.httpPort());
    }

    private static Socket send(Router router, String more) throws Exception {
        Socket socket = connect(router);
        String body = RouterFixture.ask(more);
        String head = "POST /v1/chat/completions HTTP/1.1\r\nHost: router\r\nContent-Type: application/json\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n";
        socket.getOutputStream().write((head + body).getBytes(StandardCharsets.UTF_8));
        return socket;
    }

    private static void readUntil(InputStream in, String text) throws Exception {
        var read = new StringBuilder();
        while (read.indexOf(text) < 0) {
            read.append((char) in.read());
        }
    }
}
