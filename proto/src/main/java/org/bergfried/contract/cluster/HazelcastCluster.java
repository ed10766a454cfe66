package org.bergfried.contract.cluster;

import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastException;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceNotActiveException;
import java.net.InetAddress;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.seal.Sealer;

/// A member of a real cluster: an embedded Hazelcast member whose maps hold sealed bytes. Views that a token's
/// path reads are kept in this process by listeners.
public final class HazelcastCluster implements Cluster {
    private final HazelcastInstance instance;
    private final HazelcastDirectory directory;
    private final HazelcastBoard board;
    private final HazelcastRules rules;
    private final HazelcastStore store;

    private HazelcastCluster(HazelcastInstance instance, ClusterConfig config, Sealer sealer, Clock clock) {
        this.instance = instance;
        this.directory =
                new HazelcastDirectory(instance, sealed(HazelcastSettings.WORKERS, sealer), clock, config.lease());
        this.board = new HazelcastBoard(sealed(HazelcastSettings.PLACEMENTS, sealer));
        this.rules = new HazelcastRules(sealed(HazelcastSettings.RULES, sealer));
        this.store = new HazelcastStore(
                sealed(HazelcastSettings.GENERATIONS, sealer), sealed(HazelcastSettings.TOKEN_LOGS, sealer));
    }

    /// Joins the cluster, or founds one where no seed answers. Blocks for a few seconds.
    ///
    /// @throws ConfigException if the port is taken or the address is not this machine's.
    public static HazelcastCluster start(ClusterConfig config, MemberRole role, Sealer sealer, Clock clock) {
        return start(config, role, sealer, clock, InetAddress::getAllByName);
    }

    static HazelcastCluster start(
            ClusterConfig config, MemberRole role, Sealer sealer, Clock clock, HazelcastSeeds.Names names) {
        HazelcastInstance instance;
        try {
            instance = Hazelcast.newHazelcastInstance(HazelcastSettings.of(config, role, names));
        } catch (HazelcastException | IllegalStateException refused) {
            throw new ConfigException(
                    "cannot join the cluster " + config.name() + " as " + config.host() + ":" + config.port() + ": "
                            + refused.getMessage(),
                    refused);
        }
        return new HazelcastCluster(instance, config, sealer, clock);
    }

    @Override
    public Directory directory() {
        return directory;
    }

    @Override
    public PlacementBoard placements() {
        return board;
    }

    @Override
    public RuleBoard rules() {
        return rules;
    }

    @Override
    public GenerationStore generations() {
        return store;
    }

    @Override
    public int livingRouters() {
        try {
            return (int) instance.getCluster().getMembers().stream()
                    .filter(member -> MemberRole.ROUTER.name().equals(member.getAttribute(HazelcastSettings.ROLE)))
                    .count();
        } catch (HazelcastInstanceNotActiveException closed) {
            return 0;
        }
    }

    @Override
    public void close() {
        store.close();
        directory.close();
        instance.shutdown();
    }

    /// Ends without a farewell, as a killed process does; for tests.
    void crash() {
        directory.stop();
        instance.getLifecycleService().terminate();
        store.close();
    }

    private HazelcastSealedMap sealed(String name, Sealer sealer) {
        return new HazelcastSealedMap(instance.getMap(name), sealer);
    }
}
