package org.bergfried.ops.cli;

import java.io.PrintStream;
import java.util.Locale;
import org.bergfried.proto.admin.v1.ClusterState;
import org.bergfried.proto.admin.v1.GetClusterRequest;
import org.bergfried.proto.admin.v1.GetClusterResponse;
import org.bergfried.proto.admin.v1.WorkerState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Shows routers and workers.
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows the routers and workers of a running cluster and how busy they are.")
final class ClusterStatusCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    ClusterStatusCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        options.api(surroundings)
                .call(
                        "ClusterService/GetCluster",
                        GetClusterRequest.getDefaultInstance(),
                        GetClusterResponse::newBuilder,
                        GetClusterResponse.class,
                        this::show);
    }

    private void show(GetClusterResponse response) {
        PrintStream out = surroundings.out();
        if (options.json()) {
            out.println(AdminApi.json(response));
            return;
        }
        ClusterState cluster = response.getCluster();
        out.printf(
                "%s: %d of %d routers live%s; %.1f requests/s, %.1f tokens/s, %d generations run, %d wait%n",
                cluster.getName(),
                cluster.getRoutersLiving(),
                cluster.getRoutersExpected(),
                cluster.getCanPlan() ? "" : " (too few to change placements)",
                cluster.getRequestsPerSecond(),
                cluster.getTokensPerSecond(),
                cluster.getGenerationsRunning(),
                cluster.getGenerationsQueued());
        cluster.getModelsList()
                .forEach(model -> out.printf(
                        "model %s: %d layers of %d experts, epoch %d by %s%n",
                        model.getModel(),
                        model.getMoeLayerCount(),
                        model.getExpertsPerLayer(),
                        model.getEpoch(),
                        model.getPlanId().isEmpty() ? "nobody yet" : model.getPlanId()));
        out.printf(
                "  %-16s %-12s %-14s %8s %10s %10s %8s %8s %9s%n",
                "worker", "condition", "backend", "experts", "held", "free", "running", "queued", "pages");
        cluster.getWorkersList().forEach(worker -> print(out, worker));
    }

    private static String held(WorkerState worker) {
        return worker.getExpertBytesHeld() == 0 ? "-" : Words.bytes(worker.getExpertBytesHeld());
    }

    private static void print(PrintStream out, WorkerState worker) {
        out.printf(
                "  %-16s %-12s %-14s %8d %10s %10s %8d %8d %9s%n",
                worker.getWorkerId(),
                worker.getCondition().name().replace("WORKER_CONDITION_", "").toLowerCase(Locale.ROOT),
                worker.getBackend(),
                worker.getExpertsPlaced(),
                held(worker),
                worker.getExpertBytesFree() == 0 ? "-" : Words.bytes(worker.getExpertBytesFree()),
                worker.getRunning(),
                worker.getQueued(),
                worker.getPagesTotal() - worker.getPagesFree() + "/" + worker.getPagesTotal());
    }
}
