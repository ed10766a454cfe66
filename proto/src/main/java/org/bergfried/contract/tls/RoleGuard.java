package org.bergfried.contract.tls;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.jspecify.annotations.Nullable;

/// Refuses calls of a service from peers whose certificate does not name them as of the service's role. Services
/// without a role, such as health, are open to all.
final class RoleGuard implements ServerInterceptor {
    private final TlsConfig tls;
    private final Map<String, PeerRole> roles;

    /// @param roles who may call, by the full name of the service.
    RoleGuard(TlsConfig tls, Map<String, PeerRole> roles) {
        this.tls = tls;
        this.roles = Map.copyOf(roles);
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        @Nullable String service = call.getMethodDescriptor().getServiceName();
        @Nullable PeerRole role = service == null ? null : roles.get(service);
        Set<String> names = PeerNames.of(call);
        if (role == null || tls.isNamed(role, names)) {
            return next.startCall(call, headers);
        }
        StatusRuntimeException refusal = Statuses.toStatus(refusal(String.valueOf(service), role, names));
        Metadata trailers = refusal.getTrailers();
        call.close(refusal.getStatus(), trailers == null ? new Metadata() : trailers);
        return new ServerCall.Listener<>() {};
    }

    private ClusterException refusal(String service, PeerRole role, Set<String> names) {
        String key = role == PeerRole.ROUTER ? "tls.routerNames" : "tls.workerNames";
        List<String> patterns = tls.patterns(role);
        return new ClusterException(
                ErrorReason.FORBIDDEN,
                service + " may be called by peers of the role " + role + " only; the certificate names "
                        + names.stream().sorted().toList() + " and " + key + " are " + patterns
                        + "; use a certificate of that role, or set " + key + " here");
    }
}
