package org.bergfried.contract.cluster;

import com.hazelcast.config.Config;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.JavaSerializationFilterConfig;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MergePolicyConfig;
import com.hazelcast.config.NetworkConfig;
import com.hazelcast.spi.properties.ClusterProperty;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.bergfried.contract.ConfigException;

/// Turns our configuration into Hazelcast's. Whatever calls home, looks for strangers or waits for minutes is
/// off.
final class HazelcastSettings {
    static final String WORKERS = "workers";
    static final String PLACEMENTS = "placements";
    static final String RULES = "placementrules";
    static final String GENERATIONS = "generations";
    static final String TOKEN_LOGS = "tokenlogs";
    static final String ROLE = "role";

    private HazelcastSettings() {}

    static Config of(ClusterConfig cluster, MemberRole role, HazelcastSeeds.Names names) {
        var config = new Config("bergfried-" + cluster.host() + "-" + cluster.port());
        config.setClusterName(cluster.name());
        config.getMemberAttributeConfig().setAttribute(ROLE, role.name());
        config.getJetConfig().setEnabled(false);
        config.getMetricsConfig().setEnabled(false);
        config.getSerializationConfig().setJavaSerializationFilterConfig(new JavaSerializationFilterConfig());
        config.getManagementCenterConfig()
                .setScriptingEnabled(false)
                .setConsoleEnabled(false)
                .setDataAccessEnabled(false);
        setQuiet(config);
        setTimes(config, cluster);
        setThreads(config);
        setNetwork(config.getNetworkConfig(), cluster, names);
        for (String map : List.of(WORKERS, PLACEMENTS, RULES, GENERATIONS, TOKEN_LOGS)) {
            config.addMapConfig(new MapConfig(map)
                    .setBackupCount(1)
                    .setInMemoryFormat(InMemoryFormat.BINARY) // replace() compares byte[] by content only here
                    .setMergePolicyConfig(new MergePolicyConfig(HazelcastMergePolicy.class.getName(), 100)));
        }
        return config;
    }

    private static void setQuiet(Config config) {
        config.setProperty(ClusterProperty.PHONE_HOME_ENABLED.getName(), "false");
        config.setProperty(ClusterProperty.DISCOVERY_SPI_ENABLED.getName(), "true"); // HazelcastSeeds, nothing else
        config.setProperty(ClusterProperty.LOGGING_TYPE.getName(), "slf4j");
        config.setProperty(ClusterProperty.SOCKET_BIND_ANY.getName(), "false");
        config.setProperty(ClusterProperty.SHUTDOWNHOOK_ENABLED.getName(), "false");
        config.setProperty(ClusterProperty.HEALTH_MONITORING_LEVEL.getName(), "OFF");
    }

    private static void setTimes(Config config, ClusterConfig cluster) {
        long heartbeatSeconds = cluster.heartbeatInterval().toSeconds();
        String callMillis = String.valueOf(cluster.callTimeout().toMillis());
        config.setProperty(ClusterProperty.HEARTBEAT_INTERVAL_SECONDS.getName(), String.valueOf(heartbeatSeconds));
        config.setProperty(
                ClusterProperty.MAX_NO_HEARTBEAT_SECONDS.getName(),
                String.valueOf(cluster.heartbeatTimeout().toSeconds()));
        config.setProperty(ClusterProperty.OPERATION_CALL_TIMEOUT_MILLIS.getName(), callMillis);
        config.setProperty(ClusterProperty.OPERATION_BACKUP_TIMEOUT_MILLIS.getName(), "1000");
        config.setProperty(ClusterProperty.GRACEFUL_SHUTDOWN_MAX_WAIT.getName(), "5");
        config.setProperty(ClusterProperty.MERGE_FIRST_RUN_DELAY_SECONDS.getName(), "5");
        config.setProperty(ClusterProperty.MERGE_NEXT_RUN_DELAY_SECONDS.getName(), "5");
        config.setProperty(ClusterProperty.WAIT_SECONDS_BEFORE_JOIN.getName(), "1");
        config.setProperty(ClusterProperty.SOCKET_CONNECT_TIMEOUT_SECONDS.getName(), "2");
    }

    /// The records are few and small; the cores belong to the engine.
    private static void setThreads(Config config) {
        config.setProperty(ClusterProperty.IO_THREAD_COUNT.getName(), "1");
        config.setProperty(ClusterProperty.EVENT_THREAD_COUNT.getName(), "1");
        config.setProperty(ClusterProperty.PARTITION_OPERATION_THREAD_COUNT.getName(), "2");
        config.setProperty(ClusterProperty.GENERIC_OPERATION_THREAD_COUNT.getName(), "2");
    }

    private static void setNetwork(NetworkConfig network, ClusterConfig cluster, HazelcastSeeds.Names names) {
        network.setPort(cluster.port()).setPortAutoIncrement(false).setReuseAddress(true);
        network.getInterfaces().setEnabled(true).setInterfaces(List.of(address(cluster.host())));
        JoinConfig join = network.getJoin();
        join.getAutoDetectionConfig().setEnabled(false);
        join.getMulticastConfig().setEnabled(false);
        join.getTcpIpConfig().setEnabled(false);
        var seeds = new HazelcastSeeds(cluster.seeds(), names);
        join.getDiscoveryConfig().setDiscoveryServiceProvider(settings -> seeds);
    }

    private static String address(String host) {
        try {
            return InetAddress.getByName(host).getHostAddress();
        } catch (UnknownHostException unknown) {
            throw new ConfigException("cluster.host \"" + host + "\" is not an address of this machine", unknown);
        }
    }
}
