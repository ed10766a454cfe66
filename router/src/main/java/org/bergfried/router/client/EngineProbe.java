package org.bergfried.router.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GetModelCardRequest;
import org.bergfried.proto.engine.v1.ModelCard;

/// What a router asks a worker beside tokens. The calls block and belong on virtual threads.
public final class EngineProbe {
    private static final long CARD_SECONDS = 60;
    private static final long HEALTH_MILLIS = 2_000;

    private final EngineChannels channels;

    /// Asks over these channels.
    public EngineProbe(EngineChannels channels) {
        this.channels = channels;
    }

    /// Whether the worker says that it can serve.
    public boolean isServing(WorkerAnnouncement worker) {
        try {
            var answer = HealthGrpc.newBlockingStub(channels.to(worker))
                    .withDeadlineAfter(HEALTH_MILLIS, TimeUnit.MILLISECONDS)
                    .check(HealthCheckRequest.getDefaultInstance());
            return answer.getStatus() == ServingStatus.SERVING;
        } catch (StatusRuntimeException unreachable) {
            return false;
        }
    }

    /// The card of the worker's model.
    ///
    /// @throws ClusterException if it cannot be had, is too large or is not the announced one.
    public ModelCard card(WorkerAnnouncement worker) {
        ModelCard card = parse(worker, pieces(worker));
        if (!card.getDigest().equals(worker.modelDigest())
                || !card.getNumericsId().equals(worker.numericsId())) {
            throw new ClusterException(
                    ErrorReason.INTERNAL,
                    "worker " + worker.id() + " announces the model " + worker.modelDigest() + " ("
                            + worker.numericsId() + ") and its card says " + card.getDigest() + " ("
                            + card.getNumericsId() + ")");
        }
        return card;
    }

    private ByteString pieces(WorkerAnnouncement worker) {
        try {
            var pieces = EngineServiceGrpc.newBlockingStub(channels.to(worker))
                    .withDeadlineAfter(CARD_SECONDS, TimeUnit.SECONDS)
                    .getModelCard(GetModelCardRequest.getDefaultInstance());
            ByteString whole = ByteString.EMPTY;
            while (pieces.hasNext()) {
                whole = whole.concat(pieces.next().getPiece());
                if (whole.size() > Limits.CARD_BYTES) {
                    throw new ClusterException(
                            ErrorReason.TOO_LARGE,
                            "the model card of worker " + worker.id() + " has more than " + Limits.CARD_BYTES
                                    + " bytes");
                }
            }
            return whole;
        } catch (StatusRuntimeException failure) {
            throw Statuses.toException(failure);
        }
    }

    private static ModelCard parse(WorkerAnnouncement worker, ByteString bytes) {
        try {
            return ModelCard.parseFrom(bytes);
        } catch (InvalidProtocolBufferException malformed) {
            throw new ClusterException(
                    ErrorReason.INTERNAL, "the model card of worker " + worker.id() + " is malformed", malformed);
        }
    }
}
