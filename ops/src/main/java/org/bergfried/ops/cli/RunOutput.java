package org.bergfried.ops.cli;

import com.google.protobuf.Message;
import org.bergfried.proto.admin.v1.Progress;

/// Shows the responses of a change: as JSON, or as lines of progress.
final class RunOutput {
    private final Surroundings surroundings;
    private final boolean json;
    private final ProgressPrinter printer;

    RunOutput(Surroundings surroundings, AdminOptions options) {
        this.surroundings = surroundings;
        this.json = options.json();
        this.printer = new ProgressPrinter(json ? surroundings.err() : surroundings.out());
    }

    void show(Message response, Progress progress) {
        if (json) {
            surroundings.out().println(AdminApi.json(response));
        }
        printer.show(progress);
    }

    /// Tells the end; fails if the change did.
    void finish() {
        printer.finish();
    }
}
