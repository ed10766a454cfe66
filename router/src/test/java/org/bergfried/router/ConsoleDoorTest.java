package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The console's files as a browser asks for them.
@Timeout(60)
final class ConsoleDoorTest {
    private final RouterFixture fixture = new RouterFixture();

    @BeforeEach
    void start() throws Exception {
        fixture.startEngine("w1", 1);
        fixture.startRouter("");
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void theRootLeadsToTheConsole() throws Exception {
        for (String path : new String[] {"/", "/console"}) {
            HttpResponse<String> answer = fixture.get(router(), path);
            assertEquals(308, answer.statusCode());
            assertEquals("/console/", answer.headers().firstValue("Location").orElseThrow());
        }
    }

    @Test
    void everyAnswerForbidsWhatIsFromElsewhere() throws Exception {
        HttpResponse<String> page = fixture.get(router(), "/console/");
        assertEquals(200, page.statusCode());
        assertTrue(page.body().startsWith("<!doctype html>"), page.body());
        assertTrue(header(page, "Content-Security-Policy").startsWith("default-src 'none'"));
        assertEquals("nosniff", header(page, "X-Content-Type-Options"));
        assertEquals("no-referrer", header(page, "Referrer-Policy"));
        assertEquals("no-cache", header(page, "Cache-Control"));
    }

    @Test
    void aFileThatTheBrowserHasIsNotSentAgain() throws Exception {
        String tag = header(fixture.get(router(), "/console/main.js"), "ETag");
        HttpResponse<String> again = ask("GET", "/console/main.js", tag);
        assertEquals(304, again.statusCode());
        assertEquals("", again.body());
        assertEquals(tag, header(again, "ETag"));
        assertEquals(200, ask("GET", "/console/main.js", "\"old\"").statusCode());
    }

    @Test
    void headTellsWhatGetWouldSend() throws Exception {
        HttpResponse<String> got = fixture.get(router(), "/console/console.css");
        HttpResponse<String> head = ask("HEAD", "/console/console.css", "");
        assertEquals(200, head.statusCode());
        assertEquals("", head.body());
        assertEquals(header(got, "ETag"), header(head, "ETag"));
        assertEquals(header(got, "Content-Length"), header(head, "Content-Length"));
        assertEquals("text/css; charset=utf-8", header(head, "Content-Type"));
    }

    @Test
    void nothingElseCanBeReached() throws Exception {
        for (String path : new String[] {
            "/console/../console/ConsoleFiles.class",
            "/console/..%2f..%2fmain.js",
            "/console//etc/passwd",
            "/console/%2e%2e/api/http/HttpDoor.class",
            "/console/none.js"
        }) {
            String answer = raw(path);
            assertTrue(answer.startsWith("HTTP/1.1 404"), path + ": " + answer);
            assertFalse(answer.contains("root:"), path);
        }
        assertEquals(405, ask("POST", "/console/main.js", "").statusCode());
    }

    private Router router() {
        return fixture.routers.getFirst();
    }

    /// Sends the path as it is: clients of the JDK would tidy it.
    private String raw(String path) throws Exception {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), router().httpPort())) {
            String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private HttpResponse<String> ask(String method, String path, String known) throws Exception {
        var request = HttpRequest.newBuilder(RouterFixture.uri(router(), path)).method(method, BodyPublishers.noBody());
        if (!known.isEmpty()) {
            request.header("If-None-Match", known);
        }
        return fixture.client.send(request.build(), BodyHandlers.ofString());
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElseThrow(() -> new AssertionError("no " + name));
    }
}
