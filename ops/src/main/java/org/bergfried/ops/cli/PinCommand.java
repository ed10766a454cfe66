package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.PinRequest;
import org.bergfried.proto.admin.v1.PinResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Pins an expert to a worker.
@Command(
        name = "pin",
        mixinStandardHelpOptions = true,
        description = "Makes every later plan keep, or bring, an expert on a worker.")
final class PinCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--worker", required = true, paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    PinCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = PinRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setWorkerId(worker)
                .setReason(expert.reason())
                .build();
        options.api(surroundings)
                .call("PlacementService/Pin", request, PinResponse::newBuilder, PinResponse.class, this::show);
    }

    private void show(PinResponse response) {
        if (options.json()) {
            surroundings.out().println(AdminApi.json(response));
        } else {
            surroundings
                    .out()
                    .println("done: " + Words.count(response.getPinsCount(), "pin")
                            + " now; `bergfried placement apply` obeys");
        }
    }
}
