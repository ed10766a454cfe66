package org.bergfried.worker.member;

import java.util.List;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.worker.client.PeerAddress;

/// Which other workers a trunk may ask for experts: those of the same model and arithmetic.
public final class ExpertPeers {
    private ExpertPeers() {}

    /// The peers of a worker as the directory lists them now. One that drains is still among them: it answers for
    /// itself. So is one that is not ready but has experts in memory: its trunk draws no token just now, for which
    /// another host may be to blame, and dropping its experts too would spread the failure.
    public static List<PeerAddress> of(String selfId, String modelDigest, String numericsId, Directory directory) {
        return directory.workers().stream()
                .filter(worker -> !worker.id().equals(selfId))
                .filter(worker -> worker.roles().contains(Role.EXPERT))
                .filter(ExpertPeers::answers)
                .filter(worker -> worker.modelDigest().equals(modelDigest))
                .filter(worker -> worker.numericsId().equals(numericsId))
                .map(ExpertPeers::address)
                .toList();
    }

    /// A worker that starts has nothing in memory and no service yet.
    private static boolean answers(WorkerAnnouncement worker) {
        return switch (worker.state()) {
            case READY, DRAINING -> true;
            case LOADING -> worker.hotExperts().count() > 0;
            case FAILED -> false;
        };
    }

    private static PeerAddress address(WorkerAnnouncement worker) {
        return new PeerAddress(worker.id(), worker.grpcAddress(), worker.startNumber());
    }
}
