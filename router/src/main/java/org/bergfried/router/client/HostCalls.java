package org.bergfried.router.client;

import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.expert.v1.DrainRequest;
import org.bergfried.proto.expert.v1.DrainResponse;
import org.bergfried.proto.expert.v1.EvictRequest;
import org.bergfried.proto.expert.v1.EvictResponse;
import org.bergfried.proto.expert.v1.EvictState;
import org.bergfried.proto.expert.v1.ExpertIds;
import org.bergfried.proto.expert.v1.GetHostingRequest;
import org.bergfried.proto.expert.v1.GetHostingResponse;
import org.bergfried.proto.expert.v1.HostingServiceGrpc;
import org.bergfried.proto.expert.v1.InstallRequest;
import org.bergfried.proto.expert.v1.InstallResponse;
import org.bergfried.proto.expert.v1.InstallState;
import org.bergfried.proto.expert.v1.PlanCommand;
import org.bergfried.router.placement.live.Hosting;
import org.bergfried.router.placement.live.Hosts;

/// `HostingService` of the workers.
public final class HostCalls implements Hosts {
    private static final long ASK_MILLIS = 2_000;
    private static final long EVICT_SECONDS = 60;
    private static final long INSTALL_HOURS = 6; // bounded by progress elsewhere: weights may be terabytes

    private final EngineChannels channels;

    /// Calls over these channels.
    public HostCalls(EngineChannels channels) {
        this.channels = channels;
    }

    @Override
    public Hosting hosting(WorkerAnnouncement worker) {
        return call(worker, () -> {
            GetHostingResponse answer = stub(worker)
                    .withDeadlineAfter(ASK_MILLIS, TimeUnit.MILLISECONDS)
                    .getHosting(GetHostingRequest.getDefaultInstance());
            return hosting(worker, answer);
        });
    }

    @Override
    public void install(
            WorkerAnnouncement worker,
            Command command,
            List<Expert> experts,
            List<String> sources,
            Consumer<Installed> each) {
        var request = InstallRequest.newBuilder()
                .setCommand(wire(command))
                .addAllExperts(ids(experts))
                .addAllSourceWorkerIds(sources)
                .build();
        call(worker, () -> {
            var answers = stub(worker)
                    .withDeadlineAfter(INSTALL_HOURS, TimeUnit.HOURS)
                    .install(request);
            while (answers.hasNext()) {
                InstallResponse answer = answers.next();
                var expert = new Expert(answer.getLayer(), answer.getExpert());
                if (answer.getState() == InstallState.INSTALL_STATE_INSTALLED) {
                    each.accept(new Installed(expert, ""));
                } else if (answer.getState() == InstallState.INSTALL_STATE_FAILED) {
                    each.accept(new Installed(expert, answer.getReason() + ": " + answer.getMessage()));
                }
            }
            return true;
        });
    }

    @Override
    public boolean drain(WorkerAnnouncement worker, Command command, List<Expert> experts, Duration longest) {
        var request = DrainRequest.newBuilder()
                .setCommand(wire(command))
                .addAllExperts(ids(experts))
                .setDeadlineMillis((int) longest.toMillis())
                .build();
        return call(worker, () -> {
            DrainResponse answer = stub(worker)
                    .withDeadlineAfter(longest.toMillis() + ASK_MILLIS, TimeUnit.MILLISECONDS)
                    .drain(request);
            return answer.getDrained();
        });
    }

    @Override
    public List<String> evict(WorkerAnnouncement worker, Command command, List<Eviction> evictions) {
        var request = EvictRequest.newBuilder().setCommand(wire(command));
        for (Eviction eviction : evictions) {
            request.addEvictions(EvictRequest.Eviction.newBuilder()
                    .setLayer(eviction.expert().layer())
                    .setExpert(eviction.expert().expert())
                    .setAcknowledgedBy(eviction.acknowledgedBy()));
        }
        return call(worker, () -> {
            EvictResponse answer = stub(worker)
                    .withDeadlineAfter(EVICT_SECONDS, TimeUnit.SECONDS)
                    .evict(request.build());
            return answer.getOutcomesList().stream()
                    .filter(outcome -> outcome.getState() != EvictState.EVICT_STATE_EVICTED)
                    .map(outcome -> new Expert(outcome.getLayer(), outcome.getExpert()) + ": " + outcome.getMessage())
                    .toList();
        });
    }

    private HostingServiceGrpc.HostingServiceBlockingStub stub(WorkerAnnouncement worker) {
        return HostingServiceGrpc.newBlockingStub(channels.to(worker));
    }

    private static <T> T call(WorkerAnnouncement worker, Supplier<T> call) {
        try {
            return call.get();
        } catch (StatusRuntimeException failure) {
            ClusterException known = Statuses.toException(failure);
            throw new ClusterException(
                    known.reason(), "worker " + worker.id() + ": " + known.text(), known.metadata(), known);
        }
    }

    private static PlanCommand wire(Command command) {
        return PlanCommand.newBuilder()
                .setModelDigest(command.modelDigest())
                .setEpoch(command.epoch())
                .setPlanId(command.planId())
                .build();
    }

    private static Collection<ExpertIds> ids(List<Expert> experts) {
        Map<Integer, ExpertIds.Builder> byLayer = new TreeMap<>();
        for (Expert expert : experts) {
            byLayer.computeIfAbsent(
                            expert.layer(), layer -> ExpertIds.newBuilder().setLayer(layer))
                    .addExperts(expert.expert());
        }
        var ids = new ArrayList<ExpertIds>();
        byLayer.values().forEach(layer -> ids.add(layer.build()));
        return ids;
    }

    private static Hosting hosting(WorkerAnnouncement worker, GetHostingResponse answer) {
        PlacementFacts facts = worker.facts();
        var hot = new BitSet(facts.expertCount());
        long[] bytesPerExpert = new long[facts.moeLayers().size()];
        for (GetHostingResponse.HostedLayer layer : answer.getLayersList()) {
            int first = cell(worker, facts, layer.getLayer(), 0);
            bytesPerExpert[first / facts.expertsPerLayer()] = layer.getBytesPerExpert();
            layer.getHotExpertsList().forEach(expert -> hot.set(cell(worker, facts, layer.getLayer(), expert)));
        }
        return new Hosting(
                worker.id(),
                answer.getStartNumber(),
                answer.getModelDigest(),
                ExpertSet.of(facts, hot),
                bytesPerExpert,
                answer.getBytesHeld(),
                answer.getBytesFree(),
                answer.getRowsPerSecond(),
                answer.getEpoch(),
                answer.getPlanId());
    }

    private static int cell(WorkerAnnouncement worker, PlacementFacts facts, int layer, int expert) {
        try {
            return facts.cell(layer, expert);
        } catch (IllegalArgumentException unknown) {
            throw new ClusterException(
                    ErrorReason.INTERNAL,
                    "worker " + worker.id() + " hosts what its model does not have: " + unknown.getMessage(),
                    unknown);
        }
    }
}
