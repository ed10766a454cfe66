package org.bergfried.contract.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hazelcast.cluster.Address;
import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import com.hazelcast.spi.properties.ClusterProperty;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Two members, and a third that dies, on free loopback ports.
final class HazelcastClusterTest extends ClusterContract {
    private static final Clock CLOCK = new SystemClock();
    private static final Sealer SEALER = new Sealer(SealKeys.generate(new SecureRandom(), "k1"), new SecureRandom());
    private static final List<Integer> PORTS = freePorts(3);
    private static final List<HazelcastCluster> MEMBERS = new ArrayList<>();

    @BeforeAll
    static void startMembers() {
        MEMBERS.add(HazelcastCluster.start(config(0), MemberRole.ROUTER, SEALER, CLOCK));
        MEMBERS.add(HazelcastCluster.start(config(1), MemberRole.WORKER, SEALER, CLOCK));
    }

    @AfterAll
    static void stopMembers() {
        MEMBERS.reversed().forEach(HazelcastCluster::close);
    }

    @Override
    Cluster router() {
        return MEMBERS.get(0);
    }

    @Override
    Cluster worker() {
        return MEMBERS.get(1);
    }

    @Override
    void eventually(String what, BooleanSupplier holds) {
        long deadline = CLOCK.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!holds.getAsBoolean()) {
            assertTrue(CLOCK.nanoTime() < deadline, what);
            LockSupport.parkNanos(2_000_000); // leaves the cores to the members
        }
    }

    @Test
    void theWorkersOfACrashedMemberVanishPromptlyAndItsRecordsStay() throws Exception {
        HazelcastCluster third = HazelcastCluster.start(config(2), MemberRole.ROUTER, SEALER, CLOCK);
        third.directory().announce(Samples.worker("w3", 1));
        String id = newId();
        third.generations().put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        third.generations().append(id, 1, 0, TokenIds.of(1, 2));
        eventually(
                "w3 and its log are seen",
                () -> ids(router()).contains("w3") && log(router(), id).size() == 2);
        assertEquals(2, router().livingRouters());
        var gone = new CountDownLatch(1);
        Registration registration = router().directory().onChange(() -> {
            if (!ids(router()).contains("w3")) {
                gone.countDown();
            }
        });
        third.crash();
        assertEquals(List.of(), third.directory().workers());
        assertEquals(0, third.livingRouters());
        assertTrue(gone.await(3, TimeUnit.SECONDS), "the membership tells, in less than a heartbeat timeout");
        registration.close();
        assertEquals(TokenIds.of(1, 2), log(worker(), id));
        eventually("one router is left", () -> worker().livingRouters() == 1);
    }

    @Test
    void aLeaseIsRenewedForLongerThanItsLife() {
        worker().directory().announce(Samples.worker("w1", 1));
        eventually("w1 is listed", () -> ids(router()).equals(List.of("w1")));
        var vanished = new AtomicBoolean();
        long end = CLOCK.nanoTime() + Duration.ofSeconds(3).toNanos(); // the lease of these members is two seconds
        eventually("three seconds pass", () -> {
            vanished.compareAndSet(false, !ids(router()).equals(List.of("w1")));
            return CLOCK.nanoTime() > end;
        });
        assertFalse(vanished.get());
    }

    @Test
    void aTakenPortIsNamed() {
        var refused = assertThrows(
                ConfigException.class, () -> HazelcastCluster.start(config(0), MemberRole.WORKER, SEALER, CLOCK));
        assertTrue(String.valueOf(refused.getMessage()).contains("127.0.0.1:" + PORTS.get(0)), refused.getMessage());
    }

    @Test
    void membersAreFoundAtAllAddressesThatANameHas() throws Exception {
        List<Integer> ports = freePorts(2);
        List<String> seeds = List.of("members.example:" + ports.get(0), "members.example:" + ports.get(1));
        InetAddress[] addresses = {InetAddress.ofLiteral("127.0.0.77"), InetAddress.ofLiteral("127.0.0.1")};
        var first = config("named-" + ports.get(0), "127.0.0.1", ports.get(0), seeds);
        var second = config("named-" + ports.get(0), "127.0.0.1", ports.get(1), seeds);
        try (var router = HazelcastCluster.start(first, MemberRole.ROUTER, SEALER, CLOCK, name -> addresses);
                var worker = HazelcastCluster.start(second, MemberRole.WORKER, SEALER, CLOCK, name -> addresses)) {
            assertEquals(1, router.livingRouters());
            assertEquals(1, worker.livingRouters(), "the worker has found the router");
        }
    }

    /// As when pods start together and the name service knows only each one's own address for a while.
    @Test
    void clustersOfOneMergeWhenTheyHearOfEachOther() throws Exception {
        List<Integer> ports = freePorts(2);
        InetAddress[] loopback = {InetAddress.ofLiteral("127.0.0.1")};
        InetAddress[] nobody = {};
        var known = new AtomicBoolean();
        HazelcastSeeds.Names names = name -> known.get() ? loopback : nobody;
        List<String> seeds =
                ports.stream().map(port -> "members.example:" + port).toList();
        var first = config("merged-" + ports.get(0), "127.0.0.1", ports.get(0), seeds);
        var second = config("merged-" + ports.get(0), "127.0.0.1", ports.get(1), seeds);
        try (var router = HazelcastCluster.start(first, MemberRole.ROUTER, SEALER, CLOCK, names);
                var worker = HazelcastCluster.start(second, MemberRole.WORKER, SEALER, CLOCK, names)) {
            assertEquals(0, worker.livingRouters());
            worker.directory().announce(Samples.worker("w9", 1));
            assertEquals(List.of(), ids(router));
            String id = newId();
            router.generations()
                    .put(Samples.generation(id))
                    .toCompletableFuture()
                    .get(5, TimeUnit.SECONDS);
            known.set(true);
            awaitMerge(() -> worker.livingRouters() == 1 && ids(router).equals(List.of("w9")));
            assertTrue(worker.generations().read(id).isPresent());
        }
    }

    private static void awaitMerge(BooleanSupplier merged) {
        long deadline = CLOCK.nanoTime() + Duration.ofSeconds(40).toNanos();
        while (!merged.getAsBoolean()) {
            assertTrue(CLOCK.nanoTime() < deadline, "the clusters have merged");
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Test
    void namesAreLookedUpAgainAndUnknownOnesLeftOut() throws Exception {
        InetAddress[] address = {InetAddress.ofLiteral("192.0.2.1")};
        var known = new AtomicBoolean();
        var discovery = new HazelcastSeeds(List.of("members.example:5701"), name -> {
            if (known.get()) {
                return address;
            }
            throw new UnknownHostException(name);
        });
        assertFalse(discovery.discoverNodes().iterator().hasNext());
        known.set(true);
        assertEquals(
                new Address("192.0.2.1", 5701),
                discovery.discoverNodes().iterator().next().getPrivateAddress());
    }

    @Test
    void nothingCallsHomeOrLooksForStrangers() {
        Config config = HazelcastSettings.of(config(0), MemberRole.WORKER, InetAddress::getAllByName);
        assertEquals("false", config.getProperty(ClusterProperty.PHONE_HOME_ENABLED.getName()));
        assertEquals("false", config.getProperty(ClusterProperty.SOCKET_BIND_ANY.getName()));
        var join = config.getNetworkConfig().getJoin();
        assertFalse(join.getMulticastConfig().isEnabled());
        assertFalse(join.getAutoDetectionConfig().isEnabled());
        assertFalse(join.isAutoDetectionEnabled());
        assertFalse(config.getJetConfig().isEnabled());
        assertTrue(config.getSplitBrainProtectionConfigs().isEmpty());
        assertEquals("1", config.getProperty(ClusterProperty.HEARTBEAT_INTERVAL_SECONDS.getName()));
        assertEquals("4", config.getProperty(ClusterProperty.MAX_NO_HEARTBEAT_SECONDS.getName()));
    }

    @Test
    void sharedMapsHoldOnlySealedBytes() throws Exception {
        String id = newId();
        store(router()).put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        router().placements().publish(Samples.placementOf("a-model-digest", 1, "a-plan-id", "w1"));
        worker().directory().announce(Samples.worker("w1", 1));
        for (String map : List.of("generations", "placements", "workers")) {
            var values = rawMap(map).values();
            assertFalse(values.isEmpty(), map);
            for (byte[] value : values) {
                String text = new String(value, StandardCharsets.ISO_8859_1);
                assertFalse(text.contains("tenant") || text.contains("plan-id") || text.contains("127.0.0.1"), map);
            }
        }
    }

    @Test
    void anEntryOfAStrangerIsLeftOut() {
        var stranger = new Sealer(SealKeys.generate(new SecureRandom(), "k1"), new SecureRandom());
        byte[] forged = RecordCodec.encode(Samples.placement(9, "forged", "w1"));
        rawMap("placements").set(Samples.MODEL, stranger.seal("placements", Samples.MODEL, 9, forged));
        router().placements().publish(Samples.placementOf("marker", 1, "p", "w1"));
        eventually(
                "the marker is seen after it",
                () -> worker().placements().current("marker").isPresent());
        assertTrue(worker().placements().current(Samples.MODEL).isEmpty());
        rawMap("placements").delete(Samples.MODEL);
    }

    @Test
    void whatHasEndedLivesForTwoMinutes() throws Exception {
        String id = newId();
        store(router()).put(Samples.generation(id)).toCompletableFuture().get(5, TimeUnit.SECONDS);
        int[] ids = new int[600];
        store(router()).append(id, 1, 0, TokenIds.of(ids));
        eventually("the log is stored", () -> log(router(), id).size() == ids.length);
        assertEquals(6 * 3600, life("generations", id));
        assertEquals(6 * 3600, life("tokenlogs", id + "/0"));
        store(router()).finish(id, "length");
        eventually("the record's life is shortened", () -> life("generations", id) == 120);
        for (String key : List.of("/0", "/1", "/2", "/end")) {
            assertEquals(120, life("tokenlogs", id + key), key);
        }
    }

    private static long life(String map, String key) {
        return rawMap(map).getEntryView(key).getTtl() / 1000;
    }

    private static IMap<String, byte[]> rawMap(String name) {
        HazelcastInstance member = Hazelcast.getAllHazelcastInstances().stream()
                .filter(instance -> instance.getLifecycleService().isRunning())
                .findFirst()
                .orElseThrow();
        return member.getMap(name);
    }

    private static ClusterConfig config(int member) {
        List<String> seeds = PORTS.stream().map(port -> "127.0.0.1:" + port).toList();
        return config("test-" + PORTS.getFirst(), "127.0.0.1", PORTS.get(member), seeds);
    }

    private static ClusterConfig config(String name, String host, int port, List<String> seeds) {
        ClusterConfig defaults = ClusterConfig.defaults();
        return new ClusterConfig(
                name,
                host,
                port,
                seeds,
                defaults.heartbeatInterval(),
                defaults.heartbeatTimeout(),
                defaults.callTimeout(),
                Duration.ofSeconds(2));
    }

    private static List<Integer> freePorts(int count) {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            List<Integer> ports =
                    sockets.stream().map(ServerSocket::getLocalPort).toList();
            for (ServerSocket socket : sockets) {
                socket.close();
            }
            return ports;
        } catch (IOException unexpected) {
            throw new java.io.UncheckedIOException(unexpected);
        }
    }
}
