package org.bergfried.ops.cli;

import java.io.PrintStream;
import java.util.Locale;
import org.bergfried.proto.admin.v1.PlanRequest;
import org.bergfried.proto.admin.v1.PlanResponse;
import org.bergfried.proto.admin.v1.PlanSummary;
import org.bergfried.proto.admin.v1.Step;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Shows what an apply would do.
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = "Plans where experts should be for the load of late, and changes nothing.")
final class PlacementPlanCommand implements Runnable {
    private static final int STEPS_SHOWN = 20;

    private final Surroundings surroundings;

    @Mixin
    private AdminOptions options = new AdminOptions();

    @Mixin
    private PlanArguments plan = new PlanArguments();

    @Option(names = "--all", description = "Shows all steps, not the first " + STEPS_SHOWN + ".")
    private boolean all;

    PlacementPlanCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public void run() {
        var request = PlanRequest.newBuilder()
                .setModel(options.model())
                .setOptions(plan.options())
                .build();
        options.api(surroundings)
                .call("PlacementService/Plan", request, PlanResponse::newBuilder, PlanResponse.class, this::show);
    }

    private static String load(PlanSummary summary) {
        return summary.getLoadRows() == 0
                ? "(no rows were counted in that time: 1 by definition)"
                : String.format(Locale.ROOT, "for %d rows in %.0f s", summary.getLoadRows(), summary.getLoadSeconds());
    }

    private static String cost(PlanSummary summary) {
        return summary.getBytesMoved() == 0
                ? "nothing to copy"
                : String.format(
                        Locale.ROOT,
                        "%s to move, at least %.1f s",
                        Words.bytes(summary.getBytesMoved()),
                        summary.getSecondsMoving());
    }

    private void show(PlanResponse response) {
        PrintStream out = surroundings.out();
        PlanSummary summary = response.getPlan();
        if (options.json()) {
            out.println(AdminApi.json(response));
            return;
        }
        if (summary.getStepsCount() == 0) {
            out.printf("nothing is worth moving: balance %.3f %s%n", summary.getMeanBalanceBefore(), load(summary));
            return;
        }
        out.printf(
                "plan %s from epoch %d: balance %.3f -> %.3f %s; %s, %s%s%n",
                summary.getPlanId(),
                summary.getBaseEpoch(),
                summary.getMeanBalanceBefore(),
                summary.getMeanBalanceAfter(),
                load(summary),
                Words.count(summary.getStepsCount(), "step"),
                cost(summary),
                summary.getComplete() ? "" : "; memory was too full for all moves");
        int shown = 0;
        for (Step step : summary.getStepsList()) {
            if (!all && shown++ == STEPS_SHOWN) {
                out.printf("  ... and %d more (--all)%n", summary.getStepsCount() - STEPS_SHOWN);
                break;
            }
            out.println("  " + ProgressPrinter.step(step));
        }
        out.printf("apply it within 10 minutes: bergfried placement apply %s --reason WHY%n", summary.getPlanId());
    }
}
