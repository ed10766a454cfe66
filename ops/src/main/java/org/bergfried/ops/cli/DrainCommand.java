package org.bergfried.ops.cli;

import java.io.PrintStream;
import org.bergfried.proto.admin.v1.DrainWorkerRequest;
import org.bergfried.proto.admin.v1.DrainWorkerResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Drains a worker.
@Command(
        name = "drain",
        mixinStandardHelpOptions = true,
        description = {
            "Moves a worker's experts away and lets its generations end; new ones avoid it.",
            "Returns when the worker may be switched off."
        })
final class DrainCommand implements Runnable {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "WORKER", description = "The worker.")
    private String worker = "";

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Option(names = "--reason", required = true, paramLabel = "WHY", description = "Why; written to the audit log.")
    private String reason = "";

    private DrainWorkerResponse last = DrainWorkerResponse.getDefaultInstance();

    DrainCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = DrainWorkerRequest.newBuilder()
                .setWorkerId(worker)
                .setReason(reason)
                .build();
        PrintStream people = options.json() ? surroundings.err() : surroundings.out();
        var printer = new ProgressPrinter(people);
        options.api(surroundings)
                .call(
                        "ClusterService/DrainWorker",
                        request,
                        DrainWorkerResponse::newBuilder,
                        DrainWorkerResponse.class,
                        response -> show(response, printer, people));
        if (last.hasProgress()) {
            printer.finish();
        }
        if (!last.getDrained()) {
            throw new CommandFailure("the connection ended before " + worker + " was drained; run the command again");
        }
        people.println(worker + " is drained and may be switched off; give it back with: bergfried cluster undrain "
                + worker + " --reason WHY");
    }

    private void show(DrainWorkerResponse response, ProgressPrinter printer, PrintStream people) {
        if (options.json()) {
            surroundings.out().println(AdminApi.json(response));
        }
        if (response.hasProgress()) {
            printer.show(response.getProgress());
        }
        boolean isWaiting = response.getExpertsLeft() == 0 && response.getGenerationsLeft() > 0;
        if (isWaiting && response.getGenerationsLeft() != last.getGenerationsLeft()) {
            people.println("  waiting for " + Words.count(response.getGenerationsLeft(), "generation"));
        }
        last = response;
    }
}
