package org.bergfried.router.placement.live;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One line in the log `bergfried.audit` for each change and for each end of a plan: who, what, why. Reasons have no
/// control characters, so a line stays one.
public final class Audit {
    private static final Logger LOG = LoggerFactory.getLogger("bergfried.audit");

    /// Writes to the log.
    public Audit() {}

    /// Somebody changed a rule.
    ///
    /// @param action what, for example pin.
    /// @param what the thing that it was done to.
    public void changed(String action, String who, String reason, String modelDigest, String what) {
        LOG.info("action={} who={} reason=\"{}\" model={} what=\"{}\"", action, who, reason, modelDigest, what);
    }

    /// A plan begins.
    ///
    /// @param action what was asked for, for example move.
    public void started(String action, String who, String reason, PreparedPlan plan) {
        LOG.info(
                "action={} who={} reason=\"{}\" model={} plan={} epoch={} steps={} bytes={}",
                action,
                who,
                reason,
                plan.request().modelDigest(),
                plan.request().planId(),
                plan.base().epoch(),
                plan.plan().steps().size(),
                plan.plan().bytesMoved());
    }

    /// A plan has ended.
    public void ended(Progress progress) {
        LOG.info(
                "action=end who={} plan={} state={} steps={}/{} epoch={} message=\"{}\"",
                progress.who(),
                progress.planId(),
                progress.state(),
                progress.stepsDone(),
                progress.stepCount(),
                progress.epoch(),
                progress.message());
    }
}
