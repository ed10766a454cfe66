package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.UnpinRequest;
import org.bergfried.proto.admin.v1.UnpinResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Takes a pin back.
@Command(name = "unpin", mixinStandardHelpOptions = true, description = "Takes a pin back.")
final class UnpinCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--worker", required = true, paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    UnpinCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = UnpinRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setWorkerId(worker)
                .setReason(expert.reason())
                .build();
        options.api(surroundings)
                .call("PlacementService/Unpin", request, UnpinResponse::newBuilder, UnpinResponse.class, this::show);
    }

    private void show(UnpinResponse response) {
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
