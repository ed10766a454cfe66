package org.bergfried.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.KeepAlive;
import org.bergfried.proto.inference.v1.AnswerEvent;
import org.bergfried.proto.inference.v1.ChatRequest;
import org.bergfried.proto.inference.v1.GenerateRequest;
import org.bergfried.proto.inference.v1.InferenceServiceGrpc;
import org.bergfried.proto.inference.v1.ListModelsRequest;
import org.bergfried.proto.inference.v1.Message;
import org.bergfried.proto.inference.v1.Options;
import org.bergfried.proto.inference.v1.TokenIds;
import org.bergfried.proto.inference.v1.TokenizeRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The gRPC door as internal services see it.
@Timeout(60)
final class GrpcDoorTest {
    private final RouterFixture fixture = new RouterFixture();
    private final Channels channels = new Channels(Optional.empty(), KeepAlive.defaults());
    private final List<ManagedChannel> open = new ArrayList<>();

    @AfterEach
    void stop() {
        open.forEach(ManagedChannel::shutdownNow);
        fixture.close();
        channels.close();
    }

    @Test
    void chatsTokenizesAndListsModels() throws Exception {
        fixture.startEngine("w1", 1).allowAll();
        var stub = InferenceServiceGrpc.newBlockingStub(channel(fixture.startRouter("")));
        var content = new StringBuilder();
        var last = AnswerEvent.getDefaultInstance();
        var events = stub.chat(ask(Options.newBuilder().setTemperature(0).build()));
        while (events.hasNext()) {
            last = events.next().getEvent();
            content.append(last.getDelta().getContent());
        }
        assertEquals(FakeModel.CONTENT, content.toString());
        assertEquals("stop", last.getFinished().getReason());
        assertEquals(fixture.model.scriptLength(), last.getFinished().getCompletionTokens());
        var tokens = stub.tokenize(
                TokenizeRequest.newBuilder().setText("The capital").build());
        assertTrue(tokens.getIdsCount() > 0);
        var models = stub.listModels(ListModelsRequest.getDefaultInstance());
        assertEquals(FakeModel.DIGEST, models.getModels(0).getDigest());
    }

    @Test
    void continuesTextAndIdsAlike() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        engine.allowAll();
        var stub = InferenceServiceGrpc.newBlockingStub(channel(fixture.startRouter("")));
        var options = Options.newBuilder().setSeed(4).setMaxTokens(5);
        var ids = stub.tokenize(
                        TokenizeRequest.newBuilder().setText("Once upon").build())
                .getIdsList();
        var text = stub.generate(GenerateRequest.newBuilder()
                .setText("Once upon")
                .setOptions(options)
                .build());
        text.forEachRemaining(event -> {});
        var same = stub.generate(GenerateRequest.newBuilder()
                .setIds(TokenIds.newBuilder().addAllValues(ids))
                .setOptions(options)
                .build());
        same.forEachRemaining(event -> {});
        assertEquals(ids, engine.requests.get(0).getPromptIdsList());
        assertEquals(ids, engine.requests.get(1).getPromptIdsList());
        ClusterException refused = refusal(() -> stub.generate(GenerateRequest.newBuilder()
                        .setIds(TokenIds.newBuilder().addValues(99_999))
                        .build())
                .forEachRemaining(event -> {}));
        assertTrue(refused.text().contains("99999") && refused.text().contains("3072"), refused.text());
    }

    @Test
    void numbersThatAreNotFiniteAreRefusedByTheNameOfTheirField() throws Exception {
        fixture.startEngine("w1", 1).allowAll();
        var stub = InferenceServiceGrpc.newBlockingStub(channel(fixture.startRouter("")));
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            var fields = Map.of(
                    "temperature", Options.newBuilder().setTemperature(value).build(),
                    "top_p", Options.newBuilder().setTopP(value).build(),
                    "min_p", Options.newBuilder().setMinP(value).build());
            fields.forEach((field, options) -> {
                assertRefused(field, () -> stub.chat(ask(options)).forEachRemaining(event -> {}));
                var text = GenerateRequest.newBuilder().setText("Once").setOptions(options);
                assertRefused(field, () -> stub.generate(text.build()).forEachRemaining(event -> {}));
            });
        }
        ChatRequest kwargs = ask(Options.getDefaultInstance()).toBuilder()
                .setTemplateKwargsJson("{\"depth\":1e999}")
                .build();
        assertRefused("template_kwargs_json.depth", () -> stub.chat(kwargs).forEachRemaining(event -> {}));
    }

    private static void assertRefused(String field, Runnable call) {
        ClusterException refused = refusal(call);
        assertEquals(ErrorReason.INVALID_REQUEST, refused.reason());
        assertEquals(field, refused.metadata().get("field"), refused.text());
        assertTrue(refused.text().startsWith(field + " "), refused.text());
    }

    @Test
    void healthFollowsWhetherATokenCanBeProduced() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        Router router = fixture.startRouter("");
        var health = HealthGrpc.newBlockingStub(channel(router));
        var changes = health.withDeadlineAfter(50, TimeUnit.SECONDS).watch(HealthCheckRequest.getDefaultInstance());
        assertEquals(ServingStatus.SERVING, changes.next().getStatus());
        engine.setServing(false);
        assertEquals(ServingStatus.NOT_SERVING, changes.next().getStatus());
    }

    @Test
    void reflectionNamesTheService() throws Exception {
        fixture.startEngine("w1", 1);
        var answer = new CompletableFuture<ServerReflectionResponse>();
        var requests = ServerReflectionGrpc.newStub(channel(fixture.startRouter("")))
                .serverReflectionInfo(new StreamObserver<ServerReflectionResponse>() {
                    @Override
                    public void onNext(ServerReflectionResponse response) {
                        answer.complete(response);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        answer.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {}
                });
        requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
        var names = answer.get(20, TimeUnit.SECONDS).getListServicesResponse().getServiceList().stream()
                .map(service -> service.getName())
                .toList();
        assertTrue(names.contains("bergfried.inference.v1.InferenceService"), names.toString());
        requests.onCompleted();
    }

    @Test
    void aPassedDeadlineEndsTheAnswerAndFreesTheHome() throws Exception {
        FakeEngine engine = fixture.startEngine("w1", 1);
        var stub = InferenceServiceGrpc.newBlockingStub(channel(fixture.startRouter("")));
        var events = stub.withDeadlineAfter(1500, TimeUnit.MILLISECONDS)
                .chat(ask(Options.newBuilder().setMaxTokens(9).build()));
        var late = assertThrows(StatusRuntimeException.class, () -> events.forEachRemaining(event -> {}));
        assertEquals(Status.Code.DEADLINE_EXCEEDED, late.getStatus().getCode());
        assertTrue(engine.cancelled.tryAcquire(20, TimeUnit.SECONDS), "the home still works for nobody");
        assertTrue(engine.requests.getFirst().getDeadlineMillis() <= 1500);
    }

    @Test
    void asksForAKeyWhenKeysAreConfigured(@TempDir Path folder) throws Exception {
        Path keys = folder.resolve("keys.yaml");
        Files.writeString(keys, """
                keys:
                  - name: ci
                    tenant: acme
                    roles: [CALLER]
                    sha256: 1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0
                  - name: eye
                    tenant: acme
                    roles: [VIEWER]
                    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
                """);
        fixture.startEngine("w1", 1).allowAll();
        Router router = fixture.startRouter("keysFile: " + keys + "\n");
        ManagedChannel channel = channel(router);
        assertEquals(
                ErrorReason.UNAUTHENTICATED, refusal(() -> models(channel, "")).reason());
        assertEquals(
                ErrorReason.UNAUTHENTICATED,
                refusal(() -> models(channel, "Bearer nope")).reason());
        assertEquals(
                ErrorReason.FORBIDDEN,
                refusal(() -> models(channel, "Bearer foo")).reason());
        assertEquals(1, models(channel, "Bearer s3cret"));
        assertEquals(401, fixture.post(RouterFixture.ask("")).statusCode());
        assertEquals(200, fixture.get(router, "/readyz").statusCode(), "probes have no key");
    }

    private static int models(ManagedChannel channel, String authorization) {
        var headers = new Metadata();
        if (!authorization.isEmpty()) {
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), authorization);
        }
        return InferenceServiceGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                .listModels(ListModelsRequest.getDefaultInstance())
                .getModelsCount();
    }

    private static ClusterException refusal(Runnable call) {
        return Statuses.toException(assertThrows(StatusRuntimeException.class, call::run));
    }

    private ManagedChannel channel(Router router) {
        ManagedChannel channel = channels.channel("127.0.0.1:" + router.grpcPort(), Channels.Execution.VIRTUAL_THREADS);
        open.add(channel);
        return channel;
    }

    private static ChatRequest ask(Options options) {
        return ChatRequest.newBuilder()
                .addMessages(Message.newBuilder().setRole("user").setContent("What is the capital of Kenya?"))
                .setOptions(options)
                .build();
    }
}
