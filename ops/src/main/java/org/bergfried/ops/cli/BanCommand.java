package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.BanRequest;
import org.bergfried.proto.admin.v1.BanResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Keeps an expert off a worker.
@Command(
        name = "ban",
        mixinStandardHelpOptions = true,
        description = "Makes every later plan keep an expert off a worker.")
final class BanCommand implements Runnable {
    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private ExpertArguments expert = new ExpertArguments();

    @Option(names = "--worker", required = true, paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    BanCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = BanRequest.newBuilder()
                .setModel(options.model())
                .setLayer(expert.layer())
                .setExpert(expert.expert())
                .setWorkerId(worker)
                .setReason(expert.reason())
                .build();
        options.api(surroundings)
                .call("PlacementService/Ban", request, BanResponse::newBuilder, BanResponse.class, this::show);
    }

    private void show(BanResponse response) {
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
