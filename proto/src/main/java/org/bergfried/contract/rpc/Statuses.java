package org.bergfried.contract.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Errors on the wire: a [ClusterException] becomes a gRPC status with `google.rpc.ErrorInfo` (domain
/// "bergfried", the name of the reason, its metadata), and the other end gets the same exception back.
public final class Statuses {
    /// The domain of every `ErrorInfo` that we send.
    public static final String DOMAIN = "bergfried";

    private static final Logger LOG = LoggerFactory.getLogger(Statuses.class);
    private static final int MESSAGE_CHARS_MAX = 2048; // trailers must fit the peer's header limit
    private static final int METADATA_CHARS_MAX = 256;

    private Statuses() {}

    /// What to send for a failure. An exception that is no operating error is a bug: it is logged here, where its
    /// way ends, and the peer learns only that there was one.
    public static StatusRuntimeException toStatus(Throwable failure) {
        if (failure instanceof ClusterException known) {
            return toStatus(known);
        }
        if (failure instanceof StatusRuntimeException || failure instanceof StatusException) {
            return toStatus(toException(failure));
        }
        LOG.error("A call failed because of a bug", failure);
        return toStatus(new ClusterException(ErrorReason.INTERNAL, "internal error; the server's log says more"));
    }

    private static StatusRuntimeException toStatus(ClusterException known) {
        ErrorReason reason = known.reason();
        var detail = ErrorInfo.newBuilder().setDomain(DOMAIN).setReason(reason.name());
        known.metadata().forEach((key, value) -> detail.putMetadata(key, clip(value, METADATA_CHARS_MAX)));
        var status = com.google.rpc.Status.newBuilder()
                .setCode(Status.Code.valueOf(reason.grpcCode()).value())
                .setMessage(clip(known.text(), MESSAGE_CHARS_MAX))
                .addDetails(Any.pack(detail.build()))
                .build();
        return StatusProto.toStatusRuntimeException(status);
    }

    /// What a failed call means: the peer's own error if it sent one, else what the transport's code says. The
    /// original is the cause.
    public static ClusterException toException(Throwable failure) {
        if (failure instanceof ClusterException known) {
            return known;
        }
        if (!(failure instanceof StatusRuntimeException) && !(failure instanceof StatusException)) {
            return new ClusterException(ErrorReason.INTERNAL, "internal error: " + failure, failure);
        }
        Status status = Status.fromThrowable(failure);
        Optional<ErrorInfo> detail = detail(failure);
        Optional<ErrorReason> sent = detail.flatMap(info -> reason(info.getReason()));
        if (sent.isPresent()) {
            String message = status.getDescription() == null ? sent.get().name() : status.getDescription();
            return new ClusterException(sent.get(), message, detail.get().getMetadataMap(), failure);
        }
        return new ClusterException(reason(status.getCode()), describe(status), Map.of(), failure);
    }

    private static Optional<ErrorInfo> detail(Throwable failure) {
        com.google.rpc.Status status = StatusProto.fromThrowable(failure);
        if (status == null) {
            return Optional.empty();
        }
        for (Any any : status.getDetailsList()) {
            if (any.is(ErrorInfo.class)) {
                try {
                    ErrorInfo info = any.unpack(ErrorInfo.class);
                    return info.getDomain().equals(DOMAIN) ? Optional.of(info) : Optional.empty();
                } catch (InvalidProtocolBufferException malformed) {
                    return Optional.empty(); // a peer that sends broken details is judged by its code
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<ErrorReason> reason(String name) {
        for (ErrorReason reason : ErrorReason.values()) {
            if (reason.name().equals(name)) {
                return Optional.of(reason);
            }
        }
        return Optional.empty(); // from a newer version
    }

    private static ErrorReason reason(Status.Code code) {
        return switch (code) {
            case CANCELLED -> ErrorReason.CANCELLED;
            case INVALID_ARGUMENT, OUT_OF_RANGE -> ErrorReason.INVALID_REQUEST;
            case DEADLINE_EXCEEDED -> ErrorReason.DEADLINE;
            case PERMISSION_DENIED -> ErrorReason.FORBIDDEN;
            case UNAUTHENTICATED -> ErrorReason.UNAUTHENTICATED;
            case RESOURCE_EXHAUSTED -> ErrorReason.TOO_LARGE; // the transport's own: a message above the limit
            case UNIMPLEMENTED -> ErrorReason.NOT_IMPLEMENTED;
            case UNAVAILABLE -> ErrorReason.WORKER_LOST;
            case OK, UNKNOWN, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED, INTERNAL, DATA_LOSS ->
                ErrorReason.INTERNAL;
        };
    }

    private static String describe(Status status) {
        StringBuilder text = new StringBuilder(status.getCode().name());
        if (status.getDescription() != null) {
            text.append(": ").append(status.getDescription());
        }
        Throwable root = root(status.getCause());
        if (root != null) {
            boolean tls = root instanceof SSLException || root instanceof java.security.GeneralSecurityException;
            text.append(tls ? "; TLS: " : "; cause: ").append(root.getMessage() == null ? root : root.getMessage());
        }
        return text.toString();
    }

    private static @Nullable Throwable root(@Nullable Throwable failure) {
        Throwable root = failure;
        for (int depth = 0; root != null && root.getCause() != null && depth < 20; depth++) {
            root = root.getCause();
        }
        return root;
    }

    private static String clip(String text, int charsMax) {
        return text.length() <= charsMax ? text : text.substring(0, charsMax - 3) + "...";
    }
}
