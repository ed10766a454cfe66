package org.bergfried.ops.verify;

import com.github.dockerjava.api.model.Network.Ipam;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLContext;
import org.bergfried.contract.seal.SealKeys;
import org.testcontainers.containers.Network;
import tools.jackson.databind.JsonNode;

/// A release of the chart without Kubernetes: its pods as containers in a network of their own, where the names of
/// its services lead to their addresses. Certificates, the sealing key and the API key are made here.
final class ContainerCluster implements AutoCloseable {
    private static final String MEMBERS = Chart.RELEASE + "-bergfried-members." + Chart.NAMESPACE + ".svc";
    private static final String ROUTERS = Chart.RELEASE + "-bergfried." + Chart.NAMESPACE + ".svc";
    private static final String SUBNET = "10.213.77.";
    private static final String KEY = "the key of a test";
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Network network;
    private final SSLContext trust;
    private final List<PodContainer> routers = new ArrayList<>();
    private final List<PodContainer> workers = new ArrayList<>();

    /// Starts all pods; they may not be ready yet.
    ///
    /// @param folder for the files of the pods.
    ContainerCluster(String values, Path folder) throws Exception {
        var authority = new TestAuthority(Files.createDirectories(folder.resolve("secrets")));
        trust = authority.trust();
        authority.issue("router-tls", ROUTERS);
        authority.issue("worker-tls", "*." + MEMBERS);
        writeKeys(folder.resolve("secrets"));
        network = Network.builder()
                .createNetworkCmdModifier(command ->
                        command.withIpam(new Ipam().withConfig(new Ipam.Config().withSubnet(SUBNET + "0/24"))))
                .build();
        try {
            String rendered = Chart.render(values);
            for (JsonNode workload : Chart.workloads(rendered)) {
                for (int i = 0; i < workload.path("spec").path("replicas").asInt(); i++) {
                    add(new ChartPod(rendered, workload, i), folder);
                }
            }
            routers.forEach(PodContainer::start);
            workers.forEach(PodContainer::start);
        } catch (IOException | RuntimeException failure) {
            close();
            throw failure;
        }
    }

    private void add(ChartPod pod, Path folder) throws IOException {
        boolean isWorker = Chart.podLabels(pod.workload()).containsValue("worker");
        List<PodContainer> group = isWorker ? workers : routers;
        String address = SUBNET + (10 + routers.size() + workers.size());
        List<String> names = List.of(MEMBERS, isWorker ? pod.name() + "." + MEMBERS : ROUTERS);
        group.add(new PodContainer(pod, network, address, names, folder));
    }

    private static void writeKeys(Path secrets) throws Exception {
        Path seal = Files.createDirectories(secrets.resolve("bergfried-seal"));
        SealKeys.generate(new SecureRandom(), "1").write(seal.resolve("seal.keys"));
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(KEY.getBytes(StandardCharsets.UTF_8));
        Path keys = Files.createDirectories(secrets.resolve("bergfried-keys"));
        Files.writeString(
                keys.resolve("keys.yaml"),
                "keys: [{name: test, tenant: test, roles: [CALLER], sha256: "
                        + HexFormat.of().formatHex(digest) + "}]\n");
    }

    List<PodContainer> workers() {
        return workers;
    }

    List<PodContainer> pods() {
        List<PodContainer> pods = new ArrayList<>(routers);
        pods.addAll(workers);
        return pods;
    }

    /// A client that trusts the cluster's authority and nobody else.
    HttpChat chat() {
        return new HttpChat(
                "https://127.0.0.1:" + routers.getFirst().httpPort(),
                KEY,
                () -> HttpClient.newBuilder().sslContext(trust).build());
    }

    /// The worker that runs the only generation at the moment.
    PodContainer home() {
        List<PodContainer> homes = workers.stream()
                .filter(worker -> worker.isRunning() && measure(worker, "bergfried_sequences_running") > 0)
                .toList();
        if (homes.size() != 1) {
            throw new AssertionError("the generation runs at " + homes.size() + " workers");
        }
        return homes.getFirst();
    }

    /// A worker that hosts experts of the generation but is not its home.
    PodContainer host() {
        PodContainer home = home();
        return workers.stream()
                .filter(worker -> worker != home && worker.isRunning())
                .findFirst()
                .orElseThrow();
    }

    /// Waits until every worker can produce a token and the router knows it.
    void awaitReady() {
        Await.until(
                "all workers ready, as they and the router see it",
                PATIENCE,
                () -> workers.stream().allMatch(worker -> hears(() -> measure(worker, "bergfried_ready") == 1))
                        && hears(() -> measure(chat(), "bergfried_router_homes_ready") == workers.size()));
    }

    /// What a worker's own meters say.
    private static double measure(PodContainer worker, String meter) {
        return measure(new HttpChat("http://127.0.0.1:" + worker.httpPort()), meter);
    }

    private static double measure(HttpChat process, String meter) {
        try {
            return Scrape.find(process.get("/metrics"), meter).orElse(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether there is an answer yet, and it is yes.
    private static boolean hears(BooleanSupplier question) {
        try {
            return question.getAsBoolean();
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    @Override
    public void close() {
        pods().forEach(PodContainer::close);
        network.close();
    }
}
