package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.worker.Worker;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Weight files of running workers are damaged or exchanged while answers run: what is wrong is noticed and named,
/// and no answer changes by a bit.
@Timeout(300)
final class LiveWeightsTest {
    private static final Path MODEL = Path.of("demo-model/demo-Q8_0.gguf");
    private static final int STREAMS = 4;

    @TempDir
    private Path folder = Path.of("");

    @Test
    void aWorkerWhoseFileIsExchangedComputesNoMoreAndItsAnswersGoOnElsewhere() throws Exception {
        try (var local = new LocalWorkers(folder)) {
            Worker first = local.startWorker("worker-1", copy("worker-1"));
            local.startWorker("worker-2", copy("worker-2"));
            String url = local.startRouter(2, "");
            try (var streams = new Streams(new HttpChat(url))) {
                Files.setLastModifiedTime(file("worker-1"), FileTime.fromMillis(1));
                Await.until("worker-1 says that it failed", Duration.ofSeconds(60), () -> hasFailed(local, "worker-1"));
                streams.runOnAndEnd();
            }
            assertEquals("503 not yet", http(first, "/readyz"));
            String why = http(first, "/healthz");
            assertTrue(why.startsWith("503 WEIGHTS_CORRUPT: " + file("worker-1") + " was written to"), why);
        }
    }

    @Test
    void aCorruptExpertIsFetchedFromASoundFileOrRefusedByNameAndDisturbsNoAnswer() throws Exception {
        try (var local = new LocalWorkers(folder)) {
            local.startWorker("worker-1", copy("worker-1"));
            local.startWorker("worker-2", copy("worker-2"));
            String url = local.startRouter(2, "keysFile: " + keys() + "\n");
            var admin = new AdminClient(url, "k-operator");
            var chat = new HttpChat(url, "k-asker", HttpClient::newHttpClient);
            try (var streams = new Streams(chat)) {
                JsonNode placement = admin.placement();
                int layer = placement.path("layers").path(0).path("layer").asInt();
                List<Integer> onFirst = expertsOn(placement, "worker-1");
                int here = onFirst.get(0);
                int everywhere = onFirst.get(1);
                corrupt("worker-2", layer, here);
                corrupt("worker-1", layer, everywhere);
                corrupt("worker-2", layer, everywhere);

                JsonNode moved = move(admin, layer, here);
                assertEquals("RUN_STATE_DONE", moved.path("state").asString(), moved.toString());
                JsonNode refused = move(admin, layer, everywhere);
                assertEquals("RUN_STATE_FAILED", refused.path("state").asString(), refused.toString());
                for (String named : List.of(
                        "expert " + everywhere + " of layer " + layer,
                        "_exps.weight#" + everywhere + " in " + file("worker-2"),
                        "differ from its digest",
                        "worker worker-1: the bytes that it sent")) {
                    assertTrue(refused.toString().contains(named), named + " is not in " + refused);
                }
                assertTrue(expertsOn(admin.placement(), "worker-1").contains(everywhere), "it stays where it was");
                assertTrue(expertsOn(admin.placement(), "worker-2").contains(here), "it is where it was moved to");
                streams.runOnAndEnd();
            }
        }
    }

    /// Answers that are asked for over and over, and are always the same.
    private static final class Streams implements AutoCloseable {
        private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        private final HttpChat chat;
        private final List<HttpChat.Streamed> undisturbed = new ArrayList<>();
        private final AtomicBoolean isOver = new AtomicBoolean();
        private final List<Future<?>> running = new ArrayList<>();

        Streams(HttpChat chat) throws IOException {
            this.chat = chat;
            Await.until(
                    "the first answer",
                    Duration.ofMinutes(2),
                    () -> chat.post(HttpChat.question("Hello")).statusCode() == 200);
            for (int number = 0; number < STREAMS; number++) {
                undisturbed.add(answer(number));
            }
            for (int number = 0; number < STREAMS; number++) {
                int own = number;
                running.add(threads.submit(() -> {
                    do {
                        assertEquals(undisturbed.get(own), answer(own), "stream " + own);
                    } while (!isOver.get());
                    return true;
                }));
            }
        }

        private HttpChat.Streamed answer(int number) throws IOException {
            return chat.stream(HttpChat.longAnswer(60, 100 + number), events -> {});
        }

        /// Every stream ends the answer that it is at.
        void runOnAndEnd() throws Exception {
            isOver.set(true);
            for (Future<?> stream : running) {
                var _ = stream.get(2, TimeUnit.MINUTES);
            }
        }

        @Override
        public void close() {
            isOver.set(true);
            threads.close();
        }
    }

    private static boolean hasFailed(LocalWorkers local, String id) {
        return local.cluster.directory().workers().stream()
                .anyMatch(worker -> worker.id().equals(id) && worker.state() == State.FAILED);
    }

    private static JsonNode move(AdminClient admin, int layer, int expert) throws IOException {
        AdminClient.Answer answer = admin.call(
                "PlacementService/Move",
                Map.of(
                        "layer", layer,
                        "expert", expert,
                        "fromWorkerId", "worker-1",
                        "toWorkerId", "worker-2",
                        "reason", "a test"));
        assertEquals(200, answer.status(), answer.lines().toString());
        return answer.last().path("progress");
    }

    /// Experts of the first layer with experts.
    private static List<Integer> expertsOn(JsonNode placement, String workerId) {
        JsonNode layer = placement.path("layers").path(0);
        var found = new ArrayList<Integer>();
        int index = 0;
        for (int expert = 0; expert < placement.path("expertsPerLayer").asInt(); expert++) {
            for (int replica = 0;
                    replica < layer.path("replicaCounts").path(expert).asInt();
                    replica++) {
                int worker = layer.path("hosts").path(index++).asInt();
                if (placement.path("workerIds").path(worker).asString().equals(workerId)) {
                    found.add(expert);
                }
            }
        }
        return found;
    }

    private static String http(Worker worker, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://" + worker.httpAddress() + path))
                    .build();
            var response = client.send(request, HttpResponse.BodyHandlers.ofString());
            return response.statusCode() + " " + response.body().strip();
        }
    }

    private Path file(String workerId) {
        return folder.resolve(workerId + ".gguf");
    }

    private Path copy(String workerId) throws IOException {
        return Files.copy(MODEL, file(workerId));
    }

    /// Turns a bit of an expert's first tensor, as a bad disk does: the file looks unchanged.
    private void corrupt(String workerId, int layer, int expert) throws IOException {
        Path file = file(workerId);
        byte[] part;
        try (Model model = Models.open(file)) {
            part = model.storedExpert(layer, expert).getFirst().bytes().toArray(ValueLayout.JAVA_BYTE);
        }
        byte[] all = Files.readAllBytes(file);
        int at = 0;
        while (!Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
            at++;
        }
        FileTime modified = Files.getLastModifiedTime(file);
        try (var writable = new RandomAccessFile(file.toFile(), "rw")) {
            writable.seek(at + 5L);
            writable.write(all[at + 5] ^ 1);
        }
        Files.setLastModifiedTime(file, modified);
    }

    private Path keys() throws Exception {
        return Files.writeString(
                folder.resolve("keys.yaml"), "keys:\n" + key("asker", "CALLER") + key("operator", "VIEWER, OPERATOR"));
    }

    private static String key(String name, String roles) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(("k-" + name).getBytes(StandardCharsets.UTF_8));
        return "  - {name: " + name + ", tenant: t, roles: [" + roles + "], sha256: "
                + HexFormat.of().formatHex(digest) + "}\n";
    }
}
