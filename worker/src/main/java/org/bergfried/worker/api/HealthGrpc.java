package org.bergfried.worker.api;

import io.grpc.BindableService;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.util.List;

/// `grpc.health.v1` for the process (the empty name) and each of its services.
public final class HealthGrpc {
    private final HealthStatusManager statuses = new HealthStatusManager();
    private final List<String> services;

    /// Begins as not serving.
    ///
    /// @param services full names of the services that share the process' state.
    public HealthGrpc(List<String> services) {
        this.services = List.copyOf(services);
        serving(false);
    }

    /// The service to add to a server.
    public BindableService service() {
        return statuses.getHealthService();
    }

    /// Sets the state of everything.
    public void serving(boolean serving) {
        ServingStatus status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
        statuses.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
        services.forEach(service -> statuses.setStatus(service, status));
    }

    /// Says once and for all that the process ends.
    public void ends() {
        statuses.enterTerminalState();
    }
}
