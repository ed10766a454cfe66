package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.MoveRequest;
import org.bergfried.proto.admin.v1.MoveResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Moves an expert.
@Command(
        name = "move",
        mixinStandardHelpOptions = true,
        description = "Moves an expert from one worker to another while answers run.")
final class MoveCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--from", required = true, paramLabel = "WORKER", description = "A worker that hosts it.")
    private String from = "";

    @Option(names = "--to", required = true, paramLabel = "WORKER", description = "A worker that does not.")
    private String to = "";

    MoveCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = MoveRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setFromWorkerId(from)
                .setToWorkerId(to)
                .setReason(expert.reason())
                .build();
        var run = new RunOutput(surroundings, options);
        options.api(surroundings)
                .call(
                        "PlacementService/Move",
                        request,
                        MoveResponse::newBuilder,
                        MoveResponse.class,
                        response -> run.show(response, response.getProgress()));
        run.finish();
    }
}
