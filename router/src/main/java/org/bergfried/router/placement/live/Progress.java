package org.bergfried.router.placement.live;

import java.util.Optional;
import org.bergfried.router.placement.plan.PlanStep;

/// How far a plan is.
///
/// @param planId the plan.
/// @param modelDigest its model.
/// @param state how far it is.
/// @param stepsDone steps that are done.
/// @param stepCount steps in all.
/// @param step the step that was begun last, or failed.
/// @param bytesDone bytes that installs have moved.
/// @param bytesTotal bytes that installs will have moved.
/// @param epoch the newest epoch that the plan has published; 0 before.
/// @param who started it.
/// @param reason why.
/// @param message what went wrong and the next action; empty while nothing did.
public record Progress(
        String planId,
        String modelDigest,
        State state,
        int stepsDone,
        int stepCount,
        Optional<PlanStep> step,
        long bytesDone,
        long bytesTotal,
        long epoch,
        String who,
        String reason,
        String message) {
    /// How far a plan is.
    public enum State {
        /// Steps are being carried out.
        RUNNING,
        /// All steps are done.
        DONE,
        /// A step failed; what was activated stays.
        FAILED,
        /// Somebody else published a placement meanwhile.
        SUPERSEDED
    }

    /// A plan that begins.
    static Progress begin(PreparedPlan plan, String who, String reason) {
        return new Progress(
                plan.request().planId(),
                plan.request().modelDigest(),
                State.RUNNING,
                0,
                plan.plan().steps().size(),
                Optional.empty(),
                0,
                plan.plan().bytesMoved(),
                0,
                who,
                reason,
                "");
    }

    /// Whether nothing happens any more.
    public boolean isOver() {
        return state != State.RUNNING;
    }

    Progress at(PlanStep begun) {
        return with(state, stepsDone, Optional.of(begun), bytesDone, epoch, message);
    }

    Progress done(int steps, long bytes) {
        return with(state, stepsDone + steps, step, bytesDone + bytes, epoch, message);
    }

    Progress activated(long newEpoch) {
        return with(state, stepsDone + 1, step, bytesDone, newEpoch, message);
    }

    Progress ended(State end, String why) {
        return with(end, stepsDone, step, bytesDone, epoch, why);
    }

    private Progress with(
            State newState, int steps, Optional<PlanStep> newStep, long bytes, long newEpoch, String newMessage) {
        return new Progress(
                planId,
                modelDigest,
                newState,
                steps,
                stepCount,
                newStep,
                bytes,
                bytesTotal,
                newEpoch,
                who,
                reason,
                newMessage);
    }
}
