package org.bergfried.contract.cluster;

import java.util.List;

/// The list of living workers, kept by leases.
public interface Directory extends AutoCloseable {
    /// Makes a worker known, or replaces what was said of it. The lease is renewed until {@link #withdraw}, the
    /// closing of this member, or its death. A lower start number than the one known for this id is refused,
    /// because that process has been replaced.
    ///
    /// @throws org.bergfried.contract.ClusterException if it was replaced, or no answer comes for seconds.
    void announce(WorkerAnnouncement worker);

    /// Takes a worker off the list that this member announced; an unknown id is ignored.
    void withdraw(String workerId);

    /// The living workers, sorted by id, from memory: a worker whose member has left or whose lease has run out
    /// is not among them.
    List<WorkerAnnouncement> workers();

    /// Calls after each change of {@link #workers()}, on a thread of the cluster: it must be short and must not
    /// block. Calls may be joined, so the listener reads the list.
    Registration onChange(Runnable listener);

    @Override
    void close();
}
