package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.Stream;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.Channels.Execution;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.admin.v1.ClusterServiceGrpc;
import org.bergfried.proto.admin.v1.GetClusterRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class AdminReadTest {
    private static final String GET_PLACEMENT = "/admin/v1/PlacementService/GetPlacement";

    @Test
    void showsWhereEveryExpertIs() throws Exception {
        try (var fixture = RouterFixture.serving(2)) {
            awaitPlacement(fixture);
            JsonNode placement = json(post(fixture, GET_PLACEMENT, "", "")).get("placement");
            assertEquals("[\"w0\",\"w1\"]", placement.get("workerIds").toString());
            assertEquals("1", placement.get("epoch").stringValue(), "64-bit numbers are strings");
            assertTrue(placement.get("automatic").booleanValue());
            assertEquals(3, placement.get("layers").size());
            JsonNode layer = placement.get("layers").get(0);
            assertEquals(1, layer.get("layer").intValue());
            assertEquals("[1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0]", layer.get("hosts").toString());
            JsonNode load =
                    json(post(fixture, "/admin/v1/PlacementService/GetExpertLoad", "{\"windowSeconds\":60}", ""));
            assertEquals(16, load.get("layers").get(2).get("rows").size());
        }
    }

    @Test
    void refusesWhatIsNotARequest() throws Exception {
        try (var fixture = RouterFixture.serving(1)) {
            var misspelt = post(fixture, "/admin/v1/PlacementService/GetExpertLoad", "{\"windowSecond\":60}", "");
            assertEquals(400, misspelt.statusCode());
            assertTrue(misspelt.body().contains("windowSecond"), misspelt.body());
            var tooLong = post(fixture, "/admin/v1/PlacementService/GetExpertLoad", "{\"windowSeconds\":601}", "");
            assertEquals(400, tooLong.statusCode());
            assertTrue(tooLong.body().contains("601"), tooLong.body());
            var unknown = post(fixture, "/admin/v1/PlacementService/GetPlacements", "", "");
            assertEquals(404, unknown.statusCode());
            assertTrue(unknown.body().contains("PlacementService/GetPlacement"), unknown.body());
            assertEquals(
                    405, fixture.get(fixture.routers.getFirst(), GET_PLACEMENT).statusCode());
            var model = post(fixture, GET_PLACEMENT, "{\"model\":\"other\"}", "");
            assertEquals(404, model.statusCode());
            assertTrue(model.body().contains("demo"), model.body());
        }
    }

    @Test
    void streamsTheClusterAsLines() throws Exception {
        try (var fixture = RouterFixture.serving(2)) {
            var request = HttpRequest.newBuilder(
                            RouterFixture.uri(fixture.routers.getFirst(), "/admin/v1/ClusterService/WatchCluster"))
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            HttpResponse<Stream<String>> response = fixture.client.send(request, HttpResponse.BodyHandlers.ofLines());
            assertEquals(
                    "application/x-ndjson",
                    response.headers().firstValue("content-type").orElseThrow());
            Iterator<String> lines = response.body().iterator();
            for (int i = 0; i < 2; i++) {
                JsonNode cluster = RouterFixture.JSON.readTree(lines.next()).get("cluster");
                assertEquals(2, cluster.get("workers").size());
                assertEquals(1, cluster.get("routersLiving").intValue());
            }
            response.body().close();
        }
    }

    @Test
    void onlyThoseWithARoleSeeAnything(@TempDir Path folder) throws Exception {
        Path keys = Files.writeString(
                folder.resolve("keys.yaml"),
                "keys:\n" + key("asker", "CALLER", "k-asker") + key("looker", "VIEWER", "k-looker"));
        try (var fixture = new RouterFixture()) {
            fixture.startEngine("w0", 1).allowAll();
            fixture.startRouter("keysFile: " + keys + "\n");
            for (String call : org.bergfried.router.api.admin.AdminCalls.all().keySet()) {
                var anonymous = post(fixture, "/admin/v1/" + call, "", "");
                assertEquals(401, anonymous.statusCode(), call);
                var asker = post(fixture, "/admin/v1/" + call, "", "k-asker");
                assertEquals(403, asker.statusCode(), call);
                assertFalse(asker.body().contains("w0"), asker.body());
                boolean isChange = !call.matches(".*/(Get|Watch|Plan).*");
                if (isChange) {
                    assertEquals(
                            403,
                            post(fixture, "/admin/v1/" + call, "", "k-looker").statusCode(),
                            call);
                }
            }
            assertEquals(200, post(fixture, GET_PLACEMENT, "", "k-looker").statusCode());
            JsonNode caller = json(post(fixture, "/admin/v1/ClusterService/GetCaller", "", "k-looker"));
            assertEquals("[\"VIEWER\"]", caller.get("roles").toString());
        }
    }

    @Test
    void answersOverGrpcToo() throws Exception {
        try (var fixture = RouterFixture.serving(1);
                var channels = new Channels(Optional.empty(), KeepAlive.defaults())) {
            var channel = channels.channel(
                    "127.0.0.1:" + fixture.routers.getFirst().grpcPort(), Optional.empty(), Execution.VIRTUAL_THREADS);
            var cluster = ClusterServiceGrpc.newBlockingStub(channel)
                    .getCluster(GetClusterRequest.getDefaultInstance())
                    .getCluster();
            assertEquals("w0", cluster.getWorkers(0).getWorkerId());
            assertTrue(cluster.getCanPlan());
            channel.shutdownNow();
        }
    }

    private static void awaitPlacement(RouterFixture fixture) {
        while (fixture.cluster.placements().current(FakeModel.DIGEST).isEmpty()) {
            Thread.onSpinWait();
        }
    }

    private static String key(String name, String role, String key) throws Exception {
        String digest = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256")
                        .digest(key.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        return "  - {name: " + name + ", tenant: t, roles: [" + role + "], sha256: " + digest + "}\n";
    }

    private static HttpResponse<String> post(RouterFixture fixture, String path, String body, String key)
            throws Exception {
        var request = HttpRequest.newBuilder(RouterFixture.uri(fixture.routers.getFirst(), path))
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (!key.isEmpty()) {
            request.header("Authorization", "Bearer " + key);
        }
        return fixture.client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static JsonNode json(HttpResponse<String> response) {
        assertEquals(200, response.statusCode(), response.body());
        return RouterFixture.JSON.readTree(response.body());
    }
}
