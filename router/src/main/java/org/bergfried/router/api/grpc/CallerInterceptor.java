package org.bergfried.router.api.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthGrpc;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Callers;
import org.jspecify.annotations.Nullable;

/// Establishes the caller of each call from its `authorization` metadata. Health is open, because those who probe it
/// have no key.
final class CallerInterceptor implements ServerInterceptor {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Context.Key<Caller> CALLER = Context.key("bergfried-caller");

    private final Callers callers;

    CallerInterceptor(Callers callers) {
        this.callers = callers;
    }

    /// Who sent the current call.
    static Caller current() {
        Caller caller = CALLER.get();
        if (caller == null) {
            throw new IllegalStateException("a call came past the interceptor");
        }
        return caller;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
            return next.startCall(call, headers);
        }
        try {
            @Nullable String authorization = headers.get(AUTHORIZATION);
            Context context = Context.current().withValue(CALLER, callers.authenticate(authorization));
            return Contexts.interceptCall(context, call, headers, next);
        } catch (ClusterException refused) {
            StatusRuntimeException status = Statuses.toStatus(refused);
            Metadata trailers = status.getTrailers();
            call.close(status.getStatus(), trailers == null ? new Metadata() : trailers);
            return new ServerCall.Listener<>() {};
        }
    }
}
