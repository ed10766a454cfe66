package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.ReplicateRequest;
import org.bergfried.proto.admin.v1.ReplicateResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Brings a further replica of an expert to a worker.
@Command(
        name = "replicate",
        mixinStandardHelpOptions = true,
        description = "Brings a further replica of an expert to a worker.")
final class ReplicateCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--to", required = true, paramLabel = "WORKER", description = "A worker that does not host it.")
    private String to = "";

    ReplicateCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = ReplicateRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setToWorkerId(to)
                .setReason(expert.reason())
                .build();
        var run = new RunOutput(surroundings, options);
        options.api(surroundings)
                .call(
                        "PlacementService/Replicate",
                        request,
                        ReplicateResponse::newBuilder,
                        ReplicateResponse.class,
                        response -> run.show(response, response.getProgress()));
        run.finish();
    }
}
