package org.bergfried.worker.api;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.util.MutableHandlerRegistry;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.PeerRole;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.expert.v1.ExpertServiceGrpc;
import org.bergfried.proto.expert.v1.HostingServiceGrpc;
import org.bergfried.proto.expert.v1.WeightServiceGrpc;
import org.jspecify.annotations.Nullable;

/// The gRPC server of a worker. It listens at once, with health and reflection; services are added when they can
/// serve. With TLS, only routers may call EngineService and HostingService, and only workers ExpertService and
/// WeightService.
public final class WorkerGrpc implements AutoCloseable {
    private static final Executor DIRECT = Runnable::run;

    private static final Map<String, PeerRole> CALLERS = Map.of(
            EngineServiceGrpc.SERVICE_NAME, PeerRole.ROUTER,
            HostingServiceGrpc.SERVICE_NAME, PeerRole.ROUTER,
            ExpertServiceGrpc.SERVICE_NAME, PeerRole.WORKER,
            WeightServiceGrpc.SERVICE_NAME, PeerRole.WORKER);

    private final HealthGrpc health =
            new HealthGrpc(List.of(EngineServiceGrpc.SERVICE_NAME, ExpertServiceGrpc.SERVICE_NAME));
    private final MutableHandlerRegistry services = new MutableHandlerRegistry();
    private final Server server;

    /// Starts listening.
    ///
    /// @param port 0 takes a free one.
    public WorkerGrpc(Channels channels, String host, int port) {
        try {
            server = channels.server(host, port, true, Channels.Execution.VIRTUAL_THREADS)
                    .intercept(channels.guard(CALLERS))
                    .callExecutor(new ExpertStreamsDirect())
                    .addService(health.service())
                    .addService(ProtoReflectionServiceV1.newInstance())
                    .fallbackHandlerRegistry(services)
                    .build()
                    .start();
        } catch (IOException refused) {
            throw new ConfigException(
                    "cannot listen on grpc " + host + ":" + port + ": " + refused.getMessage(), refused);
        }
    }

    /// Adds a service.
    public void add(ServerServiceDefinition service) {
        services.addService(service);
    }

    /// Says whether a token can be produced.
    public void serving(boolean serving) {
        health.serving(serving);
    }

    /// Says once and for all that the process ends.
    public void ends() {
        health.ends();
    }

    /// The port that it listens on.
    public int port() {
        return server.getPort();
    }

    /// Ends calls after a moment.
    @Override
    public void close() {
        try {
            if (!server.shutdown().awaitTermination(1, TimeUnit.SECONDS)) {
                server.shutdownNow().awaitTermination(2, TimeUnit.SECONDS);
            }
        } catch (InterruptedException interrupted) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    /// Streams of experts are served on the network's own threads, because their handlers never block.
    private static final class ExpertStreamsDirect implements ServerCallExecutorSupplier {
        @Override
        public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata metadata) {
            String service = call.getMethodDescriptor().getServiceName();
            return ExpertServiceGrpc.SERVICE_NAME.equals(service) ? DIRECT : null;
        }
    }
}
