package org.bergfried.router.placement.live;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.cluster.WorkerAnnouncement;

/// What expert workers can be told. Every call blocks and belongs on a virtual thread; all commands may be repeated,
/// and a worker refuses those of an older plan with STALE_PLAN, whose metadata have `epoch` and `planId` of the newer
/// one.
public interface Hosts {
    /// The plan that a command belongs to.
    ///
    /// @param modelDigest the model.
    /// @param epoch of the activation that the command prepares or follows.
    /// @param planId the plan.
    record Command(String modelDigest, long epoch, String planId) {}

    /// An expert.
    ///
    /// @param layer index of the layer in the model.
    /// @param expert the logical expert.
    record Expert(int layer, int expert) {
        @Override
        public String toString() {
            return "expert " + expert + " of layer " + layer;
        }
    }

    /// What became of one expert of an install.
    ///
    /// @param expert the expert.
    /// @param failure empty if it is verified and in memory, else why not.
    record Installed(Expert expert, String failure) {}

    /// An expert to let go of, and who confirms that it has it.
    ///
    /// @param expert the expert.
    /// @param acknowledgedBy another hot host.
    record Eviction(Expert expert, String acknowledgedBy) {}

    /// What is in a worker's memory now.
    ///
    /// @throws ClusterException if it does not answer.
    Hosting hosting(WorkerAnnouncement worker);

    /// Brings experts to memory; returns when each has been brought or has failed.
    ///
    /// @param sources workers that have the experts.
    /// @param each hears of each expert as it is done.
    /// @throws ClusterException if the worker refuses the command or is lost.
    void install(
            WorkerAnnouncement worker,
            Command command,
            List<Expert> experts,
            List<String> sources,
            Consumer<Installed> each);

    /// Waits until a worker has answered what it was sent for experts under older epochs.
    ///
    /// @return whether all is answered; false if the time is over.
    /// @throws ClusterException if the worker refuses the command or is lost.
    boolean drain(WorkerAnnouncement worker, Command command, List<Expert> experts, Duration longest);

    /// Frees the memory of experts.
    ///
    /// @return what was kept and why; empty if all is free.
    /// @throws ClusterException if the worker refuses the command or is lost.
    List<String> evict(WorkerAnnouncement worker, Command command, List<Eviction> evictions);
}
