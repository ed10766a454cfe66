package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.UndrainWorkerRequest;
import org.bergfried.proto.admin.v1.UndrainWorkerResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Gives a drained worker back.
@Command(
        name = "undrain",
        mixinStandardHelpOptions = true,
        description = "Gives a drained worker back: to new generations at once, to experts with the next plan.")
final class UndrainCommand implements Runnable {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Option(names = "--reason", required = true, paramLabel = "WHY", description = "Why; written to the audit log.")
    private String reason = "";

    UndrainCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = UndrainWorkerRequest.newBuilder()
                .setWorkerId(worker)
                .setReason(reason)
                .build();
        options.api(surroundings)
                .call(
                        "ClusterService/UndrainWorker",
                        request,
                        UndrainWorkerResponse::newBuilder,
                        UndrainWorkerResponse.class,
                        this::show);
    }

    private void show(UndrainWorkerResponse response) {
        surroundings
                .out()
                .println(
                        options.json()
                                ? AdminApi.json(response)
                                : "done: " + worker + " is given back; `bergfried placement apply` brings it experts");
    }
}
