package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.EvictRequest;
import org.bergfried.proto.admin.v1.EvictResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Takes a replica of an expert from a worker.
@Command(
        name = "evict",
        mixinStandardHelpOptions = true,
        description = "Takes a replica of an expert from a worker; the last one is refused.")
final class EvictCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--from", required = true, paramLabel = "WORKER", description = "A worker that hosts it.")
    private String from = "";

    EvictCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = EvictRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setWorkerId(from)
                .setReason(expert.reason())
                .build();
        var run = new RunOutput(surroundings, options);
        options.api(surroundings)
                .call(
                        "PlacementService/Evict",
                        request,
                        EvictResponse::newBuilder,
                        EvictResponse.class,
                        response -> run.show(response, response.getProgress()));
        run.finish();
    }
}
