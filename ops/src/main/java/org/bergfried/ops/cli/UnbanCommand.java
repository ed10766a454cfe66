package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.UnbanRequest;
import org.bergfried.proto.admin.v1.UnbanResponse;
import picocli.CommandLine.Command;

/// Takes a ban back.
@Command(name = "unban", description = "Takes a ban back.")
final class UnbanCommand extends RuleCommand {
    UnbanCommand(Surroundings surroundings) {
        super(surroundings);
    }

    @Override
    public void run() {
        var request = UnbanRequest.newBuilder()
                .setModel(model())
                .setLayer(expert().layer())
                .setExpert(expert().expert())
                .setWorkerId(worker())
                .setReason(expert().reason())
                .build();
        change("Unban", request, UnbanResponse::newBuilder, UnbanResponse.class, UnbanResponse::getBansCount, "ban");
    }
}
