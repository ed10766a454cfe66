package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.PinRequest;
import org.bergfried.proto.admin.v1.PinResponse;
import picocli.CommandLine.Command;

/// Pins an expert to a worker.
@Command(name = "pin", description = "Makes every later plan keep, or bring, an expert on a worker.")
final class PinCommand extends RuleCommand {
    PinCommand(Surroundings surroundings) {
        super(surroundings);
    }

    @Override
    public void run() {
        var request = PinRequest.newBuilder()
                .setModel(model())
                .setLayer(expert().layer())
                .setExpert(expert().expert())
                .setWorkerId(worker())
                .setReason(expert().reason())
                .build();
        change("Pin", request, PinResponse::newBuilder, PinResponse.class, PinResponse::getPinsCount, "pin");
    }
}
