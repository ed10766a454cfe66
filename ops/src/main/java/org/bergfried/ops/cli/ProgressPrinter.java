package org.bergfried.ops.cli;

import java.io.PrintStream;
import org.bergfried.proto.admin.v1.Progress;
import org.bergfried.proto.admin.v1.RunState;
import org.bergfried.proto.admin.v1.Step;

/// Tells how far a plan is, a line for each change.
final class ProgressPrinter {
    private final PrintStream out;
    private Progress last = Progress.getDefaultInstance();
    private Step lastStep = Step.getDefaultInstance();

    ProgressPrinter(PrintStream out) {
        this.out = out;
    }

    void show(Progress progress) {
        last = progress;
        boolean isNew = progress.hasStep() && !progress.getStep().equals(lastStep);
        if (progress.getState() == RunState.RUN_STATE_RUNNING && isNew) {
            lastStep = progress.getStep();
            out.printf(
                    "  %d of %d done; %s%n",
                    progress.getStepsDone(), progress.getStepCount(), step(progress.getStep()));
        }
    }

    /// Tells the end, or fails with what went wrong.
    void finish() {
        switch (last.getState()) {
            case RUN_STATE_DONE -> {
                String epoch = last.getEpoch() == 0 ? "nothing to do" : "epoch " + last.getEpoch();
                out.println("done: plan " + last.getPlanId() + ", "
                        + (last.getEpoch() == 0 ? "" : Words.count(last.getStepCount(), "step") + ", ") + epoch);
            }
            case RUN_STATE_FAILED, RUN_STATE_SUPERSEDED ->
                throw new CommandFailure("plan " + last.getPlanId() + " ended after " + last.getStepsDone() + " of "
                        + last.getStepCount() + " steps: " + last.getMessage());
            case RUN_STATE_UNSPECIFIED, RUN_STATE_RUNNING, UNRECOGNIZED ->
                throw new CommandFailure(
                        "the connection ended before the plan did; it may go on: see" + " `bergfried placement show`");
        }
    }

    static String step(Step step) {
        String expert = "layer " + step.getLayer() + " expert " + step.getExpert();
        return switch (step.getKind()) {
            case STEP_KIND_INSTALL ->
                "install   " + expert + " on " + step.getWorkerId()
                        + (step.getSourceWorkerId().isEmpty() ? "" : " (also on " + step.getSourceWorkerId() + ")");
            case STEP_KIND_ACTIVATE ->
                "activate  epoch " + step.getEpoch() + ": " + Words.count(step.getChanged(), "expert")
                        + " on other hosts";
            case STEP_KIND_DRAIN -> "drain     " + expert + " on " + step.getWorkerId();
            case STEP_KIND_EVICT -> "evict     " + expert + " from " + step.getWorkerId();
            case STEP_KIND_UNSPECIFIED, UNRECOGNIZED -> "";
        };
    }
}
