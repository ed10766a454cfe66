package org.bergfried.ops.verify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.bergfried.contract.cluster.Placement;

/// What the console looks at: three workers with the demo model, and a router with one key for each role.
final class ConsoleCluster implements AutoCloseable {
    static final String CALLER = "caller-key";
    static final String VIEWER = "viewer-key";
    static final String OPERATOR = "operator-key";
    private static final Path MODEL = Path.of("demo-model", "demo-Q8_0.gguf");
    private static final List<String> WORKERS = List.of("worker-1", "worker-2", "worker-3");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final LocalWorkers members;
    private final String url;
    private final String digest;

    /// Returns when every expert has its place.
    ConsoleCluster(Path folder) throws Exception {
        members = new LocalWorkers(folder);
        for (String id : WORKERS) {
            members.startWorker(id, MODEL);
        }
        digest = members.cluster.directory().workers().getFirst().modelDigest();
        url = members.startRouter(WORKERS.size(), "keysFile: " + keys(folder) + "\n");
        Await.until(
                "a placement",
                PATIENCE,
                () -> members.cluster.placements().current(digest).isPresent());
    }

    /// Where the router is.
    String url() {
        return url;
    }

    long epoch() {
        return placement().epoch();
    }

    /// Who has an expert.
    List<String> hosts(int layer, int expert) {
        return placement().replicas(layer, expert);
    }

    /// A worker that does not have it.
    String another(int layer, int expert) {
        return WORKERS.stream()
                .filter(id -> !hosts(layer, expert).contains(id))
                .findFirst()
                .orElseThrow();
    }

    AdminClient admin(String key) {
        return new AdminClient(url, key);
    }

    private Placement placement() {
        return members.cluster.placements().current(digest).orElseThrow();
    }

    private static Path keys(Path folder) throws Exception {
        String keys =
                "keys:\n" + key(CALLER, "CALLER") + key(VIEWER, "VIEWER") + key(OPERATOR, "CALLER, VIEWER, OPERATOR");
        return Files.writeString(folder.resolve("keys.yaml"), keys);
    }

    private static String key(String key, String roles) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        return "- {name: " + key + ", tenant: acme, roles: [" + roles + "], sha256: "
                + HexFormat.of().formatHex(digest) + "}\n";
    }

    @Override
    public void close() throws IOException {
        members.close();
    }
}
