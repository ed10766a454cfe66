package org.bergfried.contract.cluster;

import java.time.Duration;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.Require;
import org.bergfried.contract.tls.Address;

/// How a process joins the cluster.
///
/// @param name only members of the same name form a cluster.
/// @param host the address to listen on and to be reached at; never a wildcard.
/// @param port the port to listen on.
/// @param seeds host:port of members to look for; this one may be among them. A host may be a name with several
/// addresses.
/// @param heartbeatInterval how often members say that they live.
/// @param heartbeatTimeout after how long without a heartbeat a member is taken for dead.
/// @param callTimeout how long an operation on shared state may take.
/// @param lease how long a worker's announcement counts without renewal.
public record ClusterConfig(
        String name,
        String host,
        int port,
        List<String> seeds,
        Duration heartbeatInterval,
        Duration heartbeatTimeout,
        Duration callTimeout,
        Duration lease) {

    /// Checks every limit.
    public ClusterConfig {
        Require.text("name", name);
        Require.text("host", host);
        Require.that(!host.equals("0.0.0.0") && !host.equals("::"), "host", "must be one address, not a wildcard");
        Require.range("port", port, 1, 65535);
        Require.range("heartbeatInterval", heartbeatInterval, Duration.ofSeconds(1), Duration.ofSeconds(60));
        Require.range("heartbeatTimeout", heartbeatTimeout, Duration.ofSeconds(2), Duration.ofMinutes(5));
        Require.that(
                heartbeatTimeout.compareTo(heartbeatInterval.multipliedBy(2)) >= 0,
                "heartbeatTimeout",
                "must be at least twice heartbeatInterval");
        Require.range("callTimeout", callTimeout, Duration.ofMillis(500), Duration.ofSeconds(60));
        Require.range("lease", lease, Duration.ofSeconds(2), Duration.ofMinutes(5));
        seeds = List.copyOf(seeds);
        seeds.forEach(ClusterConfig::requireAddress);
    }

    private static void requireAddress(String seed) {
        try {
            Address.parse(seed);
        } catch (ClusterException malformed) {
            Require.that(false, "seeds", "has " + malformed.text());
        }
    }

    /// A member on loopback that looks for nobody.
    public static ClusterConfig defaults() {
        return new ClusterConfig(
                "bergfried",
                "127.0.0.1",
                5701,
                List.of(),
                Duration.ofSeconds(1),
                Duration.ofSeconds(4),
                Duration.ofSeconds(5),
                Duration.ofSeconds(5));
    }
}
