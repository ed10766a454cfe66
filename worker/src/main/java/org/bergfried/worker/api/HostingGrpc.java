package org.bergfried.worker.api;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.expert.v1.DrainRequest;
import org.bergfried.proto.expert.v1.DrainResponse;
import org.bergfried.proto.expert.v1.EvictRequest;
import org.bergfried.proto.expert.v1.EvictResponse;
import org.bergfried.proto.expert.v1.EvictState;
import org.bergfried.proto.expert.v1.GetHostingRequest;
import org.bergfried.proto.expert.v1.GetHostingResponse;
import org.bergfried.proto.expert.v1.HostingServiceGrpc;
import org.bergfried.proto.expert.v1.InstallRequest;
import org.bergfried.proto.expert.v1.InstallResponse;
import org.bergfried.proto.expert.v1.PlanCommand;
import org.bergfried.worker.client.WireExperts;
import org.bergfried.worker.expert.Installation;
import org.bergfried.worker.hosting.Eviction;
import org.bergfried.worker.hosting.Hosting;
import org.bergfried.worker.hosting.PlanEpoch;

/// HostingService: how routers change what an expert worker has in memory. Runs on virtual threads.
public final class HostingGrpc extends HostingServiceGrpc.HostingServiceImplBase {
    private static final int DRAIN_MILLIS = 30_000;
    private static final int DRAIN_MILLIS_MAX = 600_000;

    private final String workerId;
    private final long startNumber;
    private final String modelDigest;
    private final Hosting hosting;

    /// Makes the service.
    public HostingGrpc(String workerId, long startNumber, String modelDigest, Hosting hosting) {
        this.workerId = workerId;
        this.startNumber = startNumber;
        this.modelDigest = modelDigest;
        this.hosting = hosting;
    }

    @Override
    public void install(InstallRequest request, StreamObserver<InstallResponse> observer) {
        var call = (ServerCallStreamObserver<InstallResponse>) observer;
        try {
            ExpertSet wanted = WireExperts.read(hosting.facts(), request.getExpertsList());
            var progress = new InstallProgress(call, hosting, wanted.count());
            Installation installation = hosting.install(
                    command(request.getCommand()), wanted, List.copyOf(request.getSourceWorkerIdsList()), progress);
            call.setOnCancelHandler(installation::cancel);
            var _ = installation.done().whenComplete((nothing, failure) -> progress.end());
        } catch (ClusterException refusal) {
            observer.onError(Statuses.toStatus(refusal));
        }
    }

    @Override
    public void drain(DrainRequest request, StreamObserver<DrainResponse> observer) {
        answer(observer, () -> {
            int millis = request.getDeadlineMillis() == 0 ? DRAIN_MILLIS : request.getDeadlineMillis();
            if (millis < 0 || millis > DRAIN_MILLIS_MAX) {
                throw invalid("deadline_millis = " + Integer.toUnsignedString(millis) + " must be at most "
                        + DRAIN_MILLIS_MAX);
            }
            ExpertSet experts = WireExperts.read(hosting.facts(), request.getExpertsList());
            int open = hosting.drain(command(request.getCommand()), experts, Duration.ofMillis(millis));
            return DrainResponse.newBuilder()
                    .setDrained(open == 0)
                    .setFramesOpen(open)
                    .build();
        });
    }

    @Override
    public void evict(EvictRequest request, StreamObserver<EvictResponse> observer) {
        answer(observer, () -> {
            List<Eviction> evictions =
                    request.getEvictionsList().stream().map(this::eviction).toList();
            var response = EvictResponse.newBuilder();
            for (Eviction.Outcome outcome : hosting.evict(command(request.getCommand()), evictions)) {
                boolean isKept = outcome.kept().isPresent();
                response.addOutcomesBuilder()
                        .setLayer(outcome.eviction().layer())
                        .setExpert(outcome.eviction().expert())
                        .setState(isKept ? EvictState.EVICT_STATE_KEPT : EvictState.EVICT_STATE_EVICTED)
                        .setMessage(outcome.kept().orElse(""));
            }
            return response.setBytesFree(hosting.freeBytes()).build();
        });
    }

    @Override
    public void getHosting(GetHostingRequest request, StreamObserver<GetHostingResponse> observer) {
        answer(observer, () -> {
            var response = GetHostingResponse.newBuilder()
                    .setWorkerId(workerId)
                    .setStartNumber(startNumber)
                    .setModelDigest(modelDigest)
                    .setBytesHeld(hosting.bytesHeld())
                    .setBytesFree(hosting.freeBytes())
                    .setRowsPerSecond(hosting.rowsPerSecond());
            hosting.highest().ifPresent(seen -> response.setEpoch(seen.epoch()).setPlanId(seen.planId()));
            ExpertSet hot = hosting.hot();
            for (int layer : hosting.facts().moeLayers()) {
                var hosted =
                        response.addLayersBuilder().setLayer(layer).setBytesPerExpert(hosting.bytesPerExpert(layer));
                for (int expert : hot.experts(layer)) {
                    hosted.addHotExperts(expert);
                }
            }
            return response.build();
        });
    }

    private Eviction eviction(EvictRequest.Eviction wanted) {
        WireExperts.cell(hosting.facts(), wanted.getLayer(), wanted.getExpert());
        return new Eviction(wanted.getLayer(), wanted.getExpert(), wanted.getAcknowledgedBy());
    }

    private PlanEpoch command(PlanCommand command) {
        if (!command.getModelDigest().equals(modelDigest)) {
            throw new ClusterException(
                    ErrorReason.MODEL_NOT_FOUND,
                    "the command is for model " + command.getModelDigest() + "; this worker has " + modelDigest);
        }
        int idChars = command.getPlanId().length();
        if (command.getEpoch() < 1 || idChars < 1 || idChars > Limits.ID_CHARS) {
            throw invalid("epoch = " + command.getEpoch() + " must be at least 1, and plan_id have 1 to "
                    + Limits.ID_CHARS + " characters");
        }
        return new PlanEpoch(command.getEpoch(), command.getPlanId());
    }

    private static ClusterException invalid(String what) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, what);
    }

    @FunctionalInterface
    private interface Answer<T> {
        T get() throws InterruptedException;
    }

    private static <T> void answer(StreamObserver<T> observer, Answer<T> answer) {
        try {
            observer.onNext(answer.get());
            observer.onCompleted();
        } catch (ClusterException refusal) {
            observer.onError(Statuses.toStatus(refusal));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            observer.onError(Statuses.toStatus(new ClusterException(ErrorReason.DRAINING, "the worker shuts down")));
        }
    }
}
