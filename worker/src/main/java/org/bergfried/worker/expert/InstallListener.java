package org.bergfried.worker.expert;

import org.bergfried.contract.ClusterException;

/// Hears how far an installation is, expert by expert. Called by the thread that installs.
public interface InstallListener {
    /// Nobody listens.
    InstallListener NONE = new InstallListener() {};

    /// The expert is being read and verified.
    default void loading(int layer, int expert) {}

    /// The worker's own bytes are corrupt; they are being fetched from another worker.
    default void fetching(int layer, int expert, String sourceId) {}

    /// The expert is in memory.
    default void installed(int layer, int expert) {}

    /// The expert could not be installed.
    default void failed(int layer, int expert, ClusterException why) {}
}
