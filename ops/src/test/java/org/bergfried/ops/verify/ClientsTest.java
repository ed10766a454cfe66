package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.bergfried.contract.SystemClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;

/// Clients that vanish, and clients that read nothing.
@ExtendWith(SharedCluster.class)
final class ClientsTest {
    private final RunningCluster cluster;
    private final HttpChat chat;

    ClientsTest(RunningCluster cluster) {
        this.cluster = cluster;
        this.chat = new HttpChat(cluster.url());
    }

    /// Opens a streamed request on a bare socket, which the caller may neglect as it likes.
    private Socket open(int tokens) throws IOException {
        URI url = URI.create(cluster.url());
        byte[] body = HttpChat.JSON.writeValueAsBytes(HttpChat.longAnswer(tokens, 3));
        var socket = new Socket(url.getHost(), url.getPort());
        socket.setReceiveBufferSize(4096);
        var head = "POST /v1/chat/completions HTTP/1.1\r\nHost: " + url.getAuthority()
                + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().write(body);
        socket.getOutputStream().flush();
        return socket;
    }

    private int pagesInUse() throws IOException {
        return cluster.pagesInUse();
    }

    @Test
    void pagesOfAVanishedClientAreFreed() throws IOException {
        Await.until("an idle cluster", Duration.ofSeconds(20), () -> pagesInUse() == 0);
        Socket socket = open(1900);
        Await.until("a running generation", Duration.ofSeconds(20), () -> pagesInUse() > 0);
        socket.close();
        Await.until("free pages", Duration.ofSeconds(5), () -> pagesInUse() == 0);
    }

    @Test
    @EnabledIfSystemProperty(
            named = "bergfried.full",
            matches = "true",
            disabledReason = "30 s; run `ops/bergfried test --full`")
    void clientThatReadsNothingDoesNotSlowAnother() throws IOException {
        var clock = new SystemClock();
        var undisturbed = chat.stream(HttpChat.longAnswer(300, 5), events -> {});
        try (Socket neglected = open(1900)) {
            long end = clock.nanoTime() + Duration.ofSeconds(30).toNanos();
            int answers = 0;
            while (clock.nanoTime() < end) {
                assertEquals(undisturbed, chat.stream(HttpChat.longAnswer(300, 5), events -> {}));
                answers++;
            }
            assertTrue(answers >= 3, "only " + answers + " answers in 30 s beside a client that reads nothing");
            assertTrue(neglected.isConnected());
        }
    }
}
