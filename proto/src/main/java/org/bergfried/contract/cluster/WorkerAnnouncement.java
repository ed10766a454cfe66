package org.bergfried.contract.cluster;

import java.util.Set;
import org.bergfried.contract.Limits;

/// What a worker says of itself.
///
/// @param id the worker's name, stable over restarts.
/// @param startNumber grows with each start, so that a replaced process is recognised.
/// @param grpcAddress host:port for routers and peers.
/// @param httpAddress host:port of health and metrics.
/// @param roles what it does.
/// @param modelName the served name of its model.
/// @param modelDigest the digest of its model.
/// @param numericsId the arithmetic it computes in.
/// @param backend the backend it computes with, for people.
/// @param state whether it can be used.
/// @param freeBytes memory left for experts.
/// @param facts the model's layers and experts.
/// @param hotExperts the routed experts that it has in memory and verified.
/// @param placementEpochSeen the highest placement epoch that it has acted on; 0 for none.
public record WorkerAnnouncement(
        String id,
        long startNumber,
        String grpcAddress,
        String httpAddress,
        Set<Role> roles,
        String modelName,
        String modelDigest,
        String numericsId,
        String backend,
        State state,
        long freeBytes,
        PlacementFacts facts,
        ExpertSet hotExperts,
        long placementEpochSeen) {

    /// What a worker does.
    public enum Role {
        /// Embedding, attention, cache, gate, shared experts and head of the sequences whose home it is.
        TRUNK,
        /// Hosts routed experts and computes them for anybody in the cluster.
        EXPERT
    }

    /// Whether a worker can be used.
    public enum State {
        /// Reads and verifies weights.
        LOADING,
        /// Serves.
        READY,
        /// Finishes what it has and takes nothing new.
        DRAINING,
        /// Refuses to serve; its log says why.
        FAILED
    }

    /// Checks bounds and copies.
    public WorkerAnnouncement {
        Bounds.id("worker id", id);
        Bounds.id("grpcAddress", grpcAddress);
        Bounds.id("httpAddress", httpAddress);
        Bounds.label("modelName", modelName);
        Bounds.id("modelDigest", modelDigest);
        Bounds.id("numericsId", numericsId);
        Bounds.label("backend", backend);
        Bounds.range("freeBytes", freeBytes, 0, Long.MAX_VALUE);
        Bounds.range("placementEpochSeen", placementEpochSeen, 0, Long.MAX_VALUE);
        Bounds.size("roles", roles.size(), Limits.ID_CHARS);
        if (!hotExperts.facts().equals(facts)) {
            throw Bounds.invalid("hot experts of worker " + id + " belong to another model than its facts");
        }
        roles = Set.copyOf(roles);
    }

    /// Whether it serves as this role now.
    public boolean serves(Role role) {
        return state == State.READY && roles.contains(role);
    }

    /// The same worker in another state.
    public WorkerAnnouncement with(State newState) {
        return new WorkerAnnouncement(
                id,
                startNumber,
                grpcAddress,
                httpAddress,
                roles,
                modelName,
                modelDigest,
                numericsId,
                backend,
                newState,
                freeBytes,
                facts,
                hotExperts,
                placementEpochSeen);
    }

    /// The same worker with other experts in memory, after acting on a placement.
    public WorkerAnnouncement with(ExpertSet newHotExperts, long newPlacementEpochSeen, long newFreeBytes) {
        return new WorkerAnnouncement(
                id,
                startNumber,
                grpcAddress,
                httpAddress,
                roles,
                modelName,
                modelDigest,
                numericsId,
                backend,
                state,
                newFreeBytes,
                facts,
                newHotExperts,
                newPlacementEpochSeen);
    }
}
