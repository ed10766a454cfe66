package org.bergfried.worker.client;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.expert.v1.ConfirmExpertsRequest;
import org.bergfried.proto.expert.v1.FetchExpertRequest;
import org.bergfried.proto.expert.v1.FetchExpertResponse;
import org.bergfried.proto.expert.v1.WeightServiceGrpc;
import org.bergfried.proto.expert.v1.WeightServiceGrpc.WeightServiceBlockingStub;
import org.bergfried.worker.hosting.WeightPeers;

/// Other workers' WeightService, over a connection that lives as long as the call, so that weights never share one
/// with
/// rows.
public final class GrpcWeights implements WeightPeers {
    private static final Duration CONFIRM_MAX = Duration.ofSeconds(5);
    private static final Duration FETCH_MAX = Duration.ofMinutes(5); // some GiB at some MiB/s

    private final String modelDigest;
    private final PlacementFacts facts;
    private final Function<String, Optional<PeerAddress>> addresses;
    private final Function<PeerAddress, ManagedChannel> channels;

    /// @param addresses where a worker is, if it lives.
    /// @param channels  opens a connection, which is closed here.
    public GrpcWeights(
            String modelDigest,
            PlacementFacts facts,
            Function<String, Optional<PeerAddress>> addresses,
            Function<PeerAddress, ManagedChannel> channels) {
        this.modelDigest = modelDigest;
        this.facts = facts;
        this.addresses = addresses;
        this.channels = channels;
    }

    @Override
    public void fetch(String workerId, int layer, int expert, PieceSink sink) {
        var request = FetchExpertRequest.newBuilder()
                .setModelDigest(modelDigest)
                .setLayer(layer)
                .setExpert(expert)
                .build();
        call(workerId, FETCH_MAX, service -> {
            Iterator<FetchExpertResponse> pieces = service.fetchExpert(request);
            while (pieces.hasNext()) {
                FetchExpertResponse next = pieces.next();
                sink.piece(next.getTensor(), next.getOffset(), next.getPiece().asReadOnlyByteBuffer());
            }
            return true;
        });
    }

    @Override
    public ExpertSet confirm(String workerId, ExpertSet experts) {
        var request = ConfirmExpertsRequest.newBuilder()
                .setModelDigest(modelDigest)
                .addAllExperts(WireExperts.write(experts))
                .build();
        return call(workerId, CONFIRM_MAX, service -> {
            var answer = service.confirmExperts(request);
            return WireExperts.read(facts, answer.getHotList());
        });
    }

    private <T> T call(String workerId, Duration longest, Function<WeightServiceBlockingStub, T> use) {
        PeerAddress peer = addresses
                .apply(workerId)
                .orElseThrow(() -> new ClusterException(
                        ErrorReason.WORKER_LOST, "no worker " + workerId + " with this model is in the directory"));
        ManagedChannel channel = channels.apply(peer);
        try {
            return use.apply(WeightServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(longest.toMillis(), TimeUnit.MILLISECONDS));
        } catch (StatusRuntimeException failed) {
            throw Statuses.toException(failed);
        } finally {
            channel.shutdownNow();
        }
    }
}
