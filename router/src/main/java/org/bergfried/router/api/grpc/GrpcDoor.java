package org.bergfried.router.api.grpc;

import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.tls.Channels;
import org.bergfried.contract.tls.Channels.Execution;
import org.bergfried.proto.inference.v1.InferenceServiceGrpc;
import org.bergfried.router.api.InferenceGate;
import org.bergfried.router.api.admin.AdminGate;
import org.bergfried.router.auth.Callers;
import org.bergfried.router.meter.RouterMeters;

/// The gRPC server of the router.
public final class GrpcDoor implements AutoCloseable {
    private final HealthStatusManager health = new HealthStatusManager();
    private final Server server;

    /// Listens.
    ///
    /// @throws IOException if the address cannot be had.
    public GrpcDoor(
            GrpcConfig config,
            Channels channels,
            Callers callers,
            InferenceGate gate,
            AdminGate adminGate,
            RouterMeters meters)
            throws IOException {
        setServing(false);
        var admin = new AdminStream(adminGate, config.stallTimeout(), meters);
        server = channels.server(config.host(), config.port(), false, Execution.VIRTUAL_THREADS)
                .intercept(new CallerInterceptor(callers))
                .addService(new InferenceGrpcService(gate, config.stallTimeout(), meters))
                .addService(new PlacementGrpcService(admin))
                .addService(new ClusterGrpcService(admin))
                .addService(health.getHealthService())
                .addService(ProtoReflectionServiceV1.newInstance())
                .build()
                .start();
    }

    /// The port that it listens on.
    public int port() {
        return server.getPort();
    }

    /// Tells the health service whether a token can be produced.
    public void setServing(boolean serving) {
        ServingStatus status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
        health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
        health.setStatus(InferenceServiceGrpc.SERVICE_NAME, status);
    }

    /// Takes no new calls and waits for those that run.
    public void drain(Duration timeout) throws InterruptedException {
        health.enterTerminalState();
        var _ = server.shutdown();
        var _ = server.awaitTermination(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        var _ = server.shutdownNow();
    }
}
