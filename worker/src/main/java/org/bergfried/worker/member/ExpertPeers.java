package org.bergfried.worker.member;

import java.util.List;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.bergfried.contract.cluster.WorkerAnnouncement.State;
import org.bergfried.worker.client.PeerAddress;

/// Which other workers a trunk may ask for experts: those of the same model and arithmetic.
public final class ExpertPeers {
    private ExpertPeers() {}

    /// The peers of a worker as the directory lists them now. One that drains is still among them: it answers for
    /// itself.
    public static List<PeerAddress> of(String selfId, String modelDigest, String numericsId, Directory directory) {
        return directory.workers().stream()
                .filter(worker -> !worker.id().equals(selfId))
                .filter(worker -> worker.roles().contains(Role.EXPERT))
                .filter(worker -> worker.state() == State.READY || worker.state() == State.DRAINING)
                .filter(worker -> worker.modelDigest().equals(modelDigest))
                .filter(worker -> worker.numericsId().equals(numericsId))
                .map(ExpertPeers::address)
                .toList();
    }

    private static PeerAddress address(WorkerAnnouncement worker) {
        return new PeerAddress(worker.id(), worker.grpcAddress(), worker.startNumber());
    }
}
