package org.bergfried.router.api.admin;

import java.util.Arrays;
import java.util.List;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.proto.admin.v1.PlanSummary;
import org.bergfried.proto.admin.v1.Progress;
import org.bergfried.proto.admin.v1.RunState;
import org.bergfried.proto.admin.v1.Step;
import org.bergfried.proto.admin.v1.StepKind;
import org.bergfried.router.placement.live.PreparedPlan;
import org.bergfried.router.placement.plan.Plan;
import org.bergfried.router.placement.plan.PlanStep;

/// Messages about plans.
final class Plans {
    private Plans() {}

    static PlanSummary summary(
            ModelView model, PreparedPlan prepared, PlacementRules rules, List<WorkerAnnouncement> workers) {
        Plan plan = prepared.plan();
        var summary = PlanSummary.newBuilder()
                .setPlanId(prepared.request().planId())
                .setBaseEpoch(prepared.base().epoch())
                .addAllSteps(plan.steps().stream().map(Plans::step).toList())
                .addAllLayers(model.facts().moeLayers())
                .setBytesMoved(plan.bytesMoved())
                .setSecondsMoving(plan.secondsMoving())
                .setLoadSeconds(prepared.loadSeconds())
                .setLoadRows(Arrays.stream(prepared.request().load()).sum())
                .setComplete(plan.isComplete())
                .setMeanBalanceBefore(plan.meanBefore())
                .setMeanBalanceAfter(plan.meanAfter())
                .setTarget(States.placement(
                        model, plan.target(), rules, workers, prepared.request().expertBytes()));
        for (double balance : plan.balanceBefore()) {
            summary.addBalanceBefore(balance);
        }
        for (double balance : plan.balanceAfter()) {
            summary.addBalanceAfter(balance);
        }
        return summary.build();
    }

    static Progress progress(org.bergfried.router.placement.live.Progress progress) {
        var message = Progress.newBuilder()
                .setPlanId(progress.planId())
                .setState(state(progress.state()))
                .setStepsDone(progress.stepsDone())
                .setStepCount(progress.stepCount())
                .setBytesDone(progress.bytesDone())
                .setBytesTotal(progress.bytesTotal())
                .setEpoch(progress.epoch())
                .setWho(progress.who())
                .setReason(progress.reason())
                .setMessage(progress.message());
        progress.step().ifPresent(step -> message.setStep(step(step)));
        return message.build();
    }

    private static RunState state(org.bergfried.router.placement.live.Progress.State state) {
        return switch (state) {
            case RUNNING -> RunState.RUN_STATE_RUNNING;
            case DONE -> RunState.RUN_STATE_DONE;
            case FAILED -> RunState.RUN_STATE_FAILED;
            case SUPERSEDED -> RunState.RUN_STATE_SUPERSEDED;
        };
    }

    private static Step step(PlanStep step) {
        return switch (step) {
            case PlanStep.Install install ->
                expert(StepKind.STEP_KIND_INSTALL, install.layer(), install.expert(), install.workerId())
                        .setSourceWorkerId(install.source().orElse(""))
                        .setBytes(install.bytes())
                        .build();
            case PlanStep.Activate activate ->
                Step.newBuilder()
                        .setKind(StepKind.STEP_KIND_ACTIVATE)
                        .setEpoch(activate.epoch())
                        .setChanged(activate.changed().size())
                        .build();
            case PlanStep.Drain drain ->
                expert(StepKind.STEP_KIND_DRAIN, drain.layer(), drain.expert(), drain.workerId())
                        .build();
            case PlanStep.Evict evict ->
                expert(StepKind.STEP_KIND_EVICT, evict.layer(), evict.expert(), evict.workerId())
                        .build();
        };
    }

    private static Step.Builder expert(StepKind kind, int layer, int expert, String workerId) {
        return Step.newBuilder().setKind(kind).setLayer(layer).setExpert(expert).setWorkerId(workerId);
    }
}
