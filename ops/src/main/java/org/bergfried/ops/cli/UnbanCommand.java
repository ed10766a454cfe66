package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.UnbanRequest;
import org.bergfried.proto.admin.v1.UnbanResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Takes a ban back.
@Command(name = "unban", mixinStandardHelpOptions = true, description = "Takes a ban back.")
final class UnbanCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--worker", required = true, paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    UnbanCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = UnbanRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setWorkerId(worker)
                .setReason(expert.reason())
                .build();
        options.api(surroundings)
                .call("PlacementService/Unban", request, UnbanResponse::newBuilder, UnbanResponse.class, this::show);
    }

    private void show(UnbanResponse response) {
        if (options.json()) {
            surroundings.out().println(AdminApi.json(response));
        } else {
            surroundings
                    .out()
                    .println("done: " + Words.count(response.getBansCount(), "ban")
                            + " now; `bergfried placement apply` obeys");
        }
    }
}
