package org.bergfried.worker.kernel.cpu;

/// How many threads compute, and why.
///
/// @param threads at least 1.
/// @param reason  for the log.
public record ThreadCount(int threads, String reason) {
    /// The smaller of what the machine grants this process (processor affinity and the container's CPU quota, both of
    /// which the JVM knows) and the setting.
    ///
    /// @param setting wanted threads; 0 for as many as granted.
    /// @param granted processors that this process may use.
    public static ThreadCount choose(int setting, int granted) {
        if (setting < 0) {
            throw new IllegalArgumentException("compute threads = " + setting + "; 0 (all) or more");
        }
        if (setting == 0) {
            return new ThreadCount(granted, granted + " compute threads: all that affinity and CPU quota grant");
        }
        if (setting > granted) {
            return new ThreadCount(
                    granted,
                    granted + " compute threads: the setting asks for " + setting
                            + ", affinity and CPU quota grant no more");
        }
        return new ThreadCount(
                setting, setting + " compute threads: the setting, of " + granted + " that affinity and quota grant");
    }
}
