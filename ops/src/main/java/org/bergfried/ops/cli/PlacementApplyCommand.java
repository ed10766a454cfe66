package org.bergfried.ops.cli;

import org.bergfried.proto.admin.v1.ApplyRequest;
import org.bergfried.proto.admin.v1.ApplyResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Carries a plan out.
@Command(
        name = "apply",
        mixinStandardHelpOptions = true,
        description = "Carries out a plan of `placement plan`, or a fresh one, while answers run.")
final class PlacementApplyCommand implements Runnable {
    private final Surroundings surroundings;

    @Parameters(arity = "0..1", paramLabel = "PLAN", description = "The plan's id; without it, a fresh plan.")
    private String planId = "";

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private PlanArguments plan = new PlanArguments();

    @Option(names = "--reason", required = true, paramLabel = "WHY", description = "Why; written to the audit log.")
    private String reason = "";

    PlacementApplyCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = ApplyRequest.newBuilder()
                .setModel(options.model())
                .setPlanId(planId)
                .setReason(reason)
                .setOptions(plan.options())
                .build();
        var run = new RunOutput(surroundings, options);
        options.api(surroundings)
                .call(
                        "PlacementService/Apply",
                        request,
                        ApplyResponse::newBuilder,
                        ApplyResponse.class,
                        response -> run.show(response, response.getProgress()));
        run.finish();
    }
}
