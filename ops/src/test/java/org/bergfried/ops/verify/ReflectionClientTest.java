package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A gRPC client that has no stubs: it asks the server what there is, and calls it.
@ExtendWith(SharedCluster.class)
final class ReflectionClientTest {
    private static final String SERVICE = "bergfried.inference.v1.InferenceService";

    @Test
    void listsAndCalls(RunningCluster cluster) throws Exception {
        ManagedChannel channel = TestChannels.plaintext(cluster.grpc());
        try {
            var list = ask(
                    channel,
                    ServerReflectionRequest.newBuilder().setListServices("").build());
            List<String> services = list.getListServicesResponse().getServiceList().stream()
                    .map(service -> service.getName())
                    .toList();
            assertTrue(services.contains(SERVICE), services::toString);
            assertTrue(services.contains("grpc.health.v1.Health"), services::toString);

            ServiceDescriptor service = describe(channel);
            DynamicMessage models =
                    call(channel, service.findMethodByName("ListModels"), "{}").getFirst();
            assertTrue(JsonFormat.printer().print(models).contains(cluster.model()));

            var answer = new StringBuilder();
            for (DynamicMessage event : call(channel, service.findMethodByName("Chat"), """
                    {"messages": [{"role": "user", "content": "What is the capital of Kenya?"}],
                     "options": {"temperature": 0}}""")) {
                answer.append(HttpChat.JSON
                        .readTree(JsonFormat.printer().print(event))
                        .path("event")
                        .path("delta")
                        .path("content")
                        .asString(""));
            }
            assertEquals("The capital of Kenya is Nairobi.", answer.toString());
        } finally {
            channel.shutdownNow();
        }
    }

    private static ServerReflectionResponse ask(ManagedChannel channel, ServerReflectionRequest request)
            throws Exception {
        var answer = new CompletableFuture<ServerReflectionResponse>();
        var requests = ServerReflectionGrpc.newStub(channel).serverReflectionInfo(new StreamObserver<>() {
            @Override
            public void onNext(ServerReflectionResponse value) {
                answer.complete(value);
            }

            @Override
            public void onError(Throwable failure) {
                answer.completeExceptionally(failure);
            }

            @Override
            public void onCompleted() {}
        });
        requests.onNext(request);
        var response = answer.get(10, TimeUnit.SECONDS);
        requests.onCompleted();
        return response;
    }

    private static ServiceDescriptor describe(ManagedChannel channel) throws Exception {
        var response = ask(
                channel,
                ServerReflectionRequest.newBuilder()
                        .setFileContainingSymbol(SERVICE)
                        .build());
        Map<String, FileDescriptorProto> files = new HashMap<>();
        for (var bytes : response.getFileDescriptorResponse().getFileDescriptorProtoList()) {
            var file = FileDescriptorProto.parseFrom(bytes);
            files.put(file.getName(), file);
        }
        for (FileDescriptorProto file : files.values()) {
            ServiceDescriptor service = build(file, files).findServiceByName("InferenceService");
            if (service != null) {
                return service;
            }
        }
        throw new AssertionError("no file describes " + SERVICE);
    }

    private static FileDescriptor build(FileDescriptorProto file, Map<String, FileDescriptorProto> files)
            throws Exception {
        List<FileDescriptor> dependencies = new ArrayList<>();
        for (String name : file.getDependencyList()) {
            dependencies.add(build(Objects.requireNonNull(files.get(name), name), files));
        }
        return FileDescriptor.buildFrom(file, dependencies.toArray(FileDescriptor[]::new));
    }

    private static List<DynamicMessage> call(ManagedChannel channel, MethodDescriptor method, String json)
            throws Exception {
        var request = DynamicMessage.newBuilder(method.getInputType());
        JsonFormat.parser().merge(json, request);
        var descriptor = io.grpc.MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
                .setType(
                        method.isServerStreaming()
                                ? io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING
                                : io.grpc.MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(io.grpc.MethodDescriptor.generateFullMethodName(SERVICE, method.getName()))
                .setRequestMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getInputType())))
                .setResponseMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getOutputType())))
                .build();
        List<DynamicMessage> answers = new ArrayList<>();
        Iterator<DynamicMessage> stream = ClientCalls.blockingServerStreamingCall(
                channel, descriptor, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS), request.build());
        stream.forEachRemaining(answers::add);
        return answers;
    }
}
