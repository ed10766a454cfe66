package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.UnpinRequest;
import org.bergfried.proto.admin.v1.UnpinResponse;
import picocli.CommandLine.Command;

/// Takes a pin back.
@Command(name = "unpin", description = "Takes a pin back.")
final class UnpinCommand extends RuleCommand {
    UnpinCommand(Surroundings surroundings) {
        super(surroundings);
    }

    @Override
    public void run() {
        var request = UnpinRequest.newBuilder()
                .setModel(model())
                .setLayer(expert().layer())
                .setExpert(expert().expert())
                .setWorkerId(worker())
                .setReason(expert().reason())
                .build();
        change("Unpin", request, UnpinResponse::newBuilder, UnpinResponse.class, UnpinResponse::getPinsCount, "pin");
    }
}
