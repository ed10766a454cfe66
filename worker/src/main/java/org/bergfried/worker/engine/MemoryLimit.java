package org.bergfried.worker.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/// How much memory a process may take.
///
/// @param bytes of the container's limit, or of the machine where there is none.
/// @param heap  most bytes of the Java heap, which count too.
public record MemoryLimit(long bytes, long heap) {
    /// Of this process. The JVM reads the control groups itself.
    public static MemoryLimit ofProcess() {
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return new MemoryLimit(system.getTotalMemorySize(), Runtime.getRuntime().maxMemory());
    }
}
