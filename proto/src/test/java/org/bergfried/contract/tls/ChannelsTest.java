package org.bergfried.contract.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ChannelsTest {
    private static final Certificates AUTHORITY = new Certificates("our authority");

    @TempDir
    private Path folder = Path.of("");

    private final Deque<Runnable> closing = new ArrayDeque<>();

    @AfterEach
    void closeEverything() {
        closing.forEach(Runnable::run);
    }

    @Test
    void plaintextServesOnLoopback() {
        Channels plain = channels(Optional.empty());
        Server server = serve(plain, true);
        assertEquals(Set.of(), callAndSeeNames(plain, server, Optional.empty()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1:9091", "worker-1:9091", "0.0.0.0:9091", "[fe80::1]:9091", "localhost.evil.org:1"})
    void refusesPlaintextBeyondLoopback(String address) {
        Channels plain = channels(Optional.empty());
        var client =
                assertThrows(ConfigException.class, () -> plain.channel(address, Channels.Execution.VIRTUAL_THREADS));
        assertTrue(String.valueOf(client.getMessage()).contains(address + " needs TLS"), client.getMessage());
        Address parsed = Address.parse(address);
        var server = assertThrows(
                ConfigException.class,
                () -> plain.server(parsed.host(), parsed.port(), true, Channels.Execution.DIRECT));
        assertTrue(String.valueOf(server.getMessage()).contains(address + " needs TLS"), server.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:1", "127.8.8.8:1", "localhost:1", "[::1]:1"})
    void takesLoopbackWithoutTls(String address) {
        ManagedChannel channel = channels(Optional.empty()).channel(address, Channels.Execution.DIRECT);
        closing.push(channel::shutdownNow);
        assertEquals(Address.parse(address).toString(), address);
    }

    @Test
    void bothSidesKnowEachOtherByTheNamesInTheirCertificates() {
        Channels host = channels(AUTHORITY.issue(folder.resolve("host"), "worker-1", "127.0.0.1"));
        Channels caller = channels(AUTHORITY.issue(folder.resolve("caller"), "worker-2"));
        Server server = serve(host, true);
        assertEquals(Set.of("worker-2"), callAndSeeNames(caller, server, Optional.empty()));
        assertEquals(Set.of("worker-2"), callAndSeeNames(caller, server, Optional.of("worker-1")));
    }

    @Test
    void aPeerWithAnotherNameIsRefused() {
        Channels host = channels(AUTHORITY.issue(folder.resolve("host"), "worker-1", "127.0.0.1"));
        Channels caller = channels(AUTHORITY.issue(folder.resolve("caller"), "worker-2"));
        Server server = serve(host, true);
        ClusterException refused = refusal(caller, server, Optional.of("worker-3"));
        assertEquals(ErrorReason.WORKER_LOST, refused.reason());
        assertTrue(refused.text().contains("TLS: ") && refused.text().contains("worker-3"), refused.text());
    }

    @Test
    void aPeerOfAnotherAuthorityIsRefusedOnEitherSide() {
        Channels host = channels(AUTHORITY.issue(folder.resolve("host"), "127.0.0.1"));
        Certificates foreign = new Certificates("foreign authority");
        TlsConfig stranger = foreign.issue(folder.resolve("stranger"), "127.0.0.1");
        Server server = serve(host, true);
        ClusterException byClient = refusal(channels(stranger), server, Optional.empty());
        assertTrue(byClient.text().contains("TLS: "), byClient.text());
        assertTrue(byClient.text().contains("certification path"), byClient.text());
        TlsConfig trusting = new TlsConfig(
                stranger.certificate(),
                stranger.privateKey(),
                folder.resolve("host").resolve("ca.crt"));
        ClusterException byServer = refusal(channels(trusting), server, Optional.empty());
        assertEquals(ErrorReason.WORKER_LOST, byServer.reason());
        assertTrue(byServer.text().contains("TLS: "), byServer.text());
    }

    @Test
    void aCallerWithoutACertificateIsServedOnlyAtTheFrontDoor() throws Exception {
        TlsConfig files = AUTHORITY.issue(folder.resolve("host"), "127.0.0.1");
        Channels host = channels(files);
        var credentials = io.grpc.TlsChannelCredentials.newBuilder()
                .trustManager(files.trust().toFile())
                .build();
        Server internal = serve(host, true);
        Server frontDoor = serve(host, false);
        ManagedChannel anonymous = io.grpc.Grpc.newChannelBuilder("127.0.0.1:" + internal.getPort(), credentials)
                .build();
        ManagedChannel client = io.grpc.Grpc.newChannelBuilder("127.0.0.1:" + frontDoor.getPort(), credentials)
                .build();
        closing.push(anonymous::shutdownNow);
        closing.push(client::shutdownNow);
        ClusterException refused =
                Statuses.toException(assertThrows(StatusRuntimeException.class, () -> call(anonymous)));
        assertTrue(refused.text().contains("TLS: "), refused.text());
        call(client);
    }

    @ParameterizedTest
    @CsvSource({
        "router, true",
        "Router-3, true",
        "prod-router-0, true",
        "worker-1, false",
        "routers, false",
        "evil.router, false",
        "127.0.0.1, false"
    })
    void aServiceOfRoutersIsForThoseWhoseCertificateNamesARouter(String name, boolean isServed) {
        Channels host = channels(AUTHORITY.issue(folder.resolve("host"), "worker-1", "127.0.0.1"));
        Channels caller = channels(AUTHORITY.issue(folder.resolve("caller"), name));
        Server server = serve(host, true, host.guard(Map.of(HealthGrpc.SERVICE_NAME, PeerRole.ROUTER)));
        if (isServed) {
            assertEquals(1, callAndSeeNames(caller, server, Optional.empty()).size());
            return;
        }
        ClusterException refused = refusal(caller, server, Optional.empty());
        assertEquals(ErrorReason.FORBIDDEN, refused.reason());
        assertTrue(refused.text().contains(name) && refused.text().contains("tls.routerNames"), refused.text());
    }

    @Test
    void theNamesOfARoleCanBeConfigured() {
        TlsConfig files = AUTHORITY.issue(folder.resolve("host"), "w1", "127.0.0.1");
        Channels host = channels(new TlsConfig(
                files.certificate(), files.privateKey(), files.trust(), List.of("door.example"), List.of("w*")));
        Server workers = serve(host, true, host.guard(Map.of(HealthGrpc.SERVICE_NAME, PeerRole.WORKER)));
        Channels peer = channels(AUTHORITY.issue(folder.resolve("peer"), "w2"));
        assertEquals(Set.of("w2"), callAndSeeNames(peer, workers, Optional.empty()));
        Channels door = channels(AUTHORITY.issue(folder.resolve("door"), "door.example"));
        assertEquals(
                ErrorReason.FORBIDDEN, refusal(door, workers, Optional.empty()).reason());
    }

    @Test
    void newFilesAreUsedWithoutARestart() throws IOException {
        Path hostFolder = folder.resolve("host");
        Channels host = channels(AUTHORITY.issue(hostFolder, "worker-1", "127.0.0.1"));
        Channels caller = channels(AUTHORITY.issue(folder.resolve("caller"), "worker-2"));
        Server server = serve(host, true);
        refusal(caller, server, Optional.of("renamed"));
        AUTHORITY.issue(hostFolder, "renamed", "127.0.0.1");
        host.reload();
        assertEquals(Set.of("worker-2"), callAndSeeNames(caller, server, Optional.of("renamed")));
        Files.writeString(hostFolder.resolve("tls.crt"), "half a file");
        host.reload();
        assertEquals(Set.of("worker-2"), callAndSeeNames(caller, server, Optional.of("renamed")));
    }

    @Test
    void namesTheFilesThatCannotBeUsed() throws IOException {
        TlsConfig files = AUTHORITY.issue(folder.resolve("host"), "127.0.0.1");
        Files.writeString(files.privateKey(), "no key");
        var unusable =
                assertThrows(ConfigException.class, () -> new Channels(Optional.of(files), KeepAlive.defaults()));
        assertTrue(String.valueOf(unusable.getMessage()).contains("tls.key"), unusable.getMessage());
        Files.delete(files.trust());
        var absent = assertThrows(ConfigException.class, () -> new Channels(Optional.of(files), KeepAlive.defaults()));
        assertTrue(String.valueOf(absent.getMessage()).contains("ca.crt"), absent.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", ":1", "host:", "host:70000", "a b:1", "::1:9091", "http://host:1"})
    void refusesWhatIsNoAddress(String text) {
        assertThrows(ClusterException.class, () -> Address.parse(text));
    }

    private Channels channels(TlsConfig files) {
        return channels(Optional.of(files));
    }

    private Channels channels(Optional<TlsConfig> files) {
        Channels channels = new Channels(files, KeepAlive.defaults());
        closing.push(channels::close);
        return channels;
    }

    private volatile Set<String> namesSeen = Set.of();

    private Server serve(Channels channels, boolean clientCertificates, ServerInterceptor... guards) {
        var service = new HealthGrpc.HealthImplBase() {
            @Override
            public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
                namesSeen = PeerNames.current();
                answer.onNext(HealthCheckResponse.getDefaultInstance());
                answer.onCompleted();
            }
        };
        try {
            var guarded = ServerInterceptors.intercept(service, guards);
            Server server = channels.server("127.0.0.1", 0, clientCertificates, Channels.Execution.VIRTUAL_THREADS)
                    .addService(guarded)
                    .build()
                    .start();
            closing.push(server::shutdownNow);
            return server;
        } catch (IOException unexpected) {
            throw new java.io.UncheckedIOException(unexpected);
        }
    }

    private Set<String> callAndSeeNames(Channels caller, Server server, Optional<String> name) {
        ManagedChannel channel =
                caller.channel("127.0.0.1:" + server.getPort(), name, Channels.Execution.VIRTUAL_THREADS);
        closing.push(channel::shutdownNow);
        call(channel);
        return namesSeen;
    }

    private ClusterException refusal(Channels caller, Server server, Optional<String> name) {
        var failure = assertThrows(StatusRuntimeException.class, () -> callAndSeeNames(caller, server, name));
        return Statuses.toException(failure);
    }

    private static void call(ManagedChannel channel) {
        HealthCheckResponse answer = HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(10, TimeUnit.SECONDS)
                .check(HealthCheckRequest.getDefaultInstance());
        assertEquals(HealthCheckResponse.getDefaultInstance(), answer);
    }
}
