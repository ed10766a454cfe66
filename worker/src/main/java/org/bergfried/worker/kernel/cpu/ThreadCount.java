package org.bergfried.worker.kernel.cpu;

import org.bergfried.worker.machine.Processors;

/// How many threads compute, and why.
///
/// @param threads at least 1.
/// @param reason  for the log.
public record ThreadCount(int threads, String reason) {
    /// The smallest of what processor affinity, the container's CPU quota and the setting allow.
    ///
    /// @param setting    wanted threads; 0 for as many as allowed.
    /// @param processors what this process may use.
    public static ThreadCount choose(int setting, Processors processors) {
        if (setting < 0) {
            throw new IllegalArgumentException("compute threads = " + setting + "; 0 (all) or more");
        }
        int granted = processors.granted();
        int affinity =
                processors.allowed().isEmpty() ? granted : processors.allowed().size();
        int most = Math.min(granted, affinity);
        String limit = granted < affinity ? "the CPU quota" : "affinity";
        String known = limit + " allows " + most + (granted < affinity ? " of the " + affinity + " of affinity" : "");
        if (setting == 0) {
            return of(most, known);
        }
        return setting > most
                ? of(most, "the setting asks for " + setting + ", and " + known)
                : of(setting, "the setting, and " + known);
    }

    private static ThreadCount of(int threads, String why) {
        return new ThreadCount(threads, threads + (threads == 1 ? " compute thread: " : " compute threads: ") + why);
    }
}
