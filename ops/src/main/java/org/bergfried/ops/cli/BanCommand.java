package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.BanRequest;
import org.bergfried.proto.admin.v1.BanResponse;
import picocli.CommandLine.Command;

/// Keeps an expert off a worker.
@Command(name = "ban", description = "Makes every later plan keep an expert off a worker.")
final class BanCommand extends RuleCommand {
    BanCommand(Surroundings surroundings) {
        super(surroundings);
    }

    @Override
    public void run() {
        var request = BanRequest.newBuilder()
                .setModel(model())
                .setLayer(expert().layer())
                .setExpert(expert().expert())
                .setWorkerId(worker())
                .setReason(expert().reason())
                .build();
        change("Ban", request, BanResponse::newBuilder, BanResponse.class, BanResponse::getBansCount, "ban");
    }
}
