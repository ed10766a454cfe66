package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/// Experts of the demo model are moved about by the admin API while answers run: no answer changes by a bit.
@Timeout(540)
final class LiveMovesTest {
    private static final Logger LOG = LoggerFactory.getLogger(LiveMovesTest.class);
    private static final Path MODEL = Path.of("demo-model/demo-Q8_0.gguf");
    private static final List<String> WORKERS = List.of("worker-1", "worker-2", "worker-3");
    private static final int STREAMS = 16;
    private static final int TOKENS = 40;
    private static final int CHANGES = 60;
    private static final int KINDS = 7;

    @TempDir
    private Path folder = Path.of("");

    @Test
    void sixtyRandomChangesDisturbNoAnswer() throws Exception {
        long seed = Long.getLong("bergfried.seed", 20261125);
        LOG.info("Seed {}", seed);
        try (var local = new LocalWorkers(folder);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            WORKERS.forEach(id -> local.startWorker(id, MODEL));
            String url = local.startRouter(3, "keysFile: " + keys() + "\n");
            var chat = new HttpChat(url, "k-asker", java.net.http.HttpClient::newHttpClient);
            Await.until("the first answer", Duration.ofMinutes(2), () -> isAnswering(chat));
            List<HttpChat.Streamed> undisturbed = all(threads, number -> answer(chat, number));
            assertTrue(Set.copyOf(undisturbed).size() > STREAMS / 2, "most answers differ: " + undisturbed);

            var isOver = new AtomicBoolean();
            var answers = new AtomicInteger();
            List<Future<?>> streams = new ArrayList<>();
            for (int number = 0; number < STREAMS; number++) {
                int own = number;
                streams.add(threads.submit(() -> {
                    do {
                        assertEquals(undisturbed.get(own), answer(chat, own), "seed " + seed + ", stream " + own);
                        answers.incrementAndGet();
                    } while (!isOver.get());
                    return true;
                }));
            }
            Map<String, Integer> done;
            try {
                done = new Changes(new AdminClient(url, "k-operator"), seed).make();
            } finally {
                isOver.set(true);
            }
            for (Future<?> stream : streams) {
                var _ = stream.get(3, TimeUnit.MINUTES);
            }
            LOG.info("{} answers were the same during the changes {}", answers, done);
            assertEquals(KINDS, done.size(), "every kind of change was made: " + done);
            viewersAndStrangersChangeNothing(url);
        }
    }

    private static void viewersAndStrangersChangeNothing(String url) throws IOException {
        var viewer = new AdminClient(url, "k-viewer");
        JsonNode before = viewer.placement();
        Map<String, Object> move = new TreeMap<>(Map.of(
                "layer", before.path("layers").path(0).path("layer").asInt(),
                "expert", 0,
                "fromWorkerId", "worker-1",
                "toWorkerId", "worker-2",
                "reason", "a viewer tries"));
        assertEquals(403, viewer.call("PlacementService/Move", move).status());
        assertEquals(
                403,
                viewer.call("ClusterService/DrainWorker", Map.of("workerId", "worker-1", "reason", "no"))
                        .status());
        var asker = new AdminClient(url, "k-asker");
        assertEquals(403, asker.call("PlacementService/GetPlacement", Map.of()).status());
        assertEquals(
                401,
                new AdminClient(url, "")
                        .call("ClusterService/GetCluster", Map.of())
                        .status());
        assertEquals(before, viewer.placement());
    }

    private interface Numbered {
        HttpChat.Streamed answer(int number) throws IOException;
    }

    private static List<HttpChat.Streamed> all(ExecutorService threads, Numbered one) throws Exception {
        List<Callable<HttpChat.Streamed>> calls = new ArrayList<>();
        for (int number = 0; number < STREAMS; number++) {
            int own = number;
            calls.add(() -> one.answer(own));
        }
        List<HttpChat.Streamed> answers = new ArrayList<>();
        for (Future<HttpChat.Streamed> answer : threads.invokeAll(calls)) {
            answers.add(answer.get());
        }
        return answers;
    }

    private static HttpChat.Streamed answer(HttpChat chat, int number) throws IOException {
        Map<String, Object> question = HttpChat.longAnswer(TOKENS, 1000 + number);
        question.put("temperature", 1.8); // so that nearly every answer is another one
        return chat.stream(question, events -> {});
    }

    private static boolean isAnswering(HttpChat chat) throws IOException {
        return chat.post(HttpChat.question("Hello")).statusCode() == 200;
    }

    private Path keys() throws Exception {
        return Files.writeString(
                folder.resolve("keys.yaml"),
                "keys:\n" + key("asker", "CALLER") + key("viewer", "VIEWER") + key("operator", "VIEWER, OPERATOR"));
    }

    private static String key(String name, String roles) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(("k-" + name).getBytes(StandardCharsets.UTF_8));
        return "  - {name: " + name + ", tenant: t, roles: [" + roles + "], sha256: "
                + HexFormat.of().formatHex(digest) + "}\n";
    }

    /// Random changes by an operator. What is impossible is refused by name and does not count.
    private static final class Changes {
        private final AdminClient admin;
        private final SplittableRandom random;
        private final Map<String, Integer> done = new TreeMap<>();
        private String drained = "";

        Changes(AdminClient admin, long seed) {
            this.admin = admin;
            this.random = new SplittableRandom(seed);
        }

        /// At least [#CHANGES] changes; more, up to twice as many, where luck has left out a kind.
        Map<String, Integer> make() throws IOException {
            int sum = 0;
            while (sum < CHANGES || (done.size() < KINDS && sum < 2 * CHANGES)) {
                sum += one() ? 1 : 0;
            }
            return done;
        }

        private boolean one() throws IOException {
            JsonNode placement = admin.placement();
            JsonNode layer = placement
                    .path("layers")
                    .path(random.nextInt(placement.path("layers").size()));
            int expert = random.nextInt(placement.path("expertsPerLayer").asInt());
            String worker = WORKERS.get(random.nextInt(WORKERS.size()));
            Map<String, Object> request = new TreeMap<>();
            request.put("layer", layer.path("layer").asInt());
            request.put("expert", expert);
            request.put("reason", "a test");
            return switch (random.nextInt(8)) {
                case 0, 1 -> {
                    request.put("fromWorkerId", host(placement, layer, expert));
                    request.put("toWorkerId", worker);
                    yield call("PlacementService/Move", request);
                }
                case 2, 3 -> {
                    request.put("toWorkerId", worker);
                    yield call("PlacementService/Replicate", request);
                }
                case 4 -> {
                    int several = replicated(layer, expert);
                    request.put("expert", several);
                    request.put("workerId", host(placement, layer, several));
                    yield call("PlacementService/Evict", request);
                }
                case 5 -> {
                    request.put("workerId", worker);
                    yield call("PlacementService/Pin", request);
                }
                case 6 ->
                    call("PlacementService/Apply", Map.of("reason", "a test", "options", Map.of("gainMin", 0.01)));
                default -> drainOrBack(worker);
            };
        }

        private boolean drainOrBack(String worker) throws IOException {
            Map<String, Object> request = new TreeMap<>(Map.of("reason", "a test"));
            request.put("workerId", drained.isEmpty() ? worker : drained);
            boolean isBack = !drained.isEmpty();
            boolean isDone = call(isBack ? "ClusterService/UndrainWorker" : "ClusterService/DrainWorker", request);
            drained = isBack ? "" : worker;
            return isDone;
        }

        private boolean call(String method, Map<String, Object> request) throws IOException {
            AdminClient.Answer answer = admin.call(method, request);
            if (answer.status() == 400 && answer.code().equals("INVALID_REQUEST")) {
                return false;
            }
            String what = method + " " + request + ": " + answer.lines();
            assertEquals(200, answer.status(), what);
            JsonNode progress = answer.last().path("progress");
            if (progress.has("state")) {
                assertEquals("RUN_STATE_DONE", progress.path("state").asString(), what);
            }
            if (method.endsWith("/DrainWorker")) {
                assertTrue(answer.last().path("drained").asBoolean(), what);
            }
            done.merge(method.substring(method.indexOf('/') + 1), 1, Integer::sum);
            return true;
        }

        /// The next expert from one on that has several replicas; that one if none has.
        private static int replicated(JsonNode layer, int from) {
            JsonNode counts = layer.path("replicaCounts");
            return IntStream.range(0, counts.size())
                    .map(step -> (from + step) % counts.size())
                    .filter(expert -> counts.path(expert).asInt() > 1)
                    .findFirst()
                    .orElse(from);
        }

        private static String host(JsonNode placement, JsonNode layer, int expert) {
            int index = 0;
            for (int i = 0; i < expert; i++) {
                index += layer.path("replicaCounts").path(i).asInt();
            }
            int worker = layer.path("hosts").path(index).asInt();
            return placement.path("workerIds").path(worker).asString();
        }
    }
}
