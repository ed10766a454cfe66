package org.bergfried.contract.cluster;

import com.hazelcast.cluster.Address;
import com.hazelcast.spi.discovery.DiscoveryNode;
import com.hazelcast.spi.discovery.SimpleDiscoveryNode;
import com.hazelcast.spi.discovery.integration.DiscoveryService;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells Hazelcast where members may be: at all addresses that the names of the seeds have at the moment. A name may
/// have many, such as that of a headless service, and others later; Hazelcast's own joiner by names would take one of
/// them for each name, for good, and the name itself for the member's own address.
final class HazelcastSeeds implements DiscoveryService {
    private static final Logger LOG = LoggerFactory.getLogger(HazelcastSeeds.class);

    private final List<org.bergfried.contract.tls.Address> seeds;
    private final Names names;

    /// Looks names up.
    interface Names {
        /// All addresses of a name, or the address that it is.
        InetAddress[] addresses(String name) throws UnknownHostException;
    }

    /// @param seeds host:port of each.
    HazelcastSeeds(List<String> seeds, Names names) {
        this.seeds =
                seeds.stream().map(org.bergfried.contract.tls.Address::parse).toList();
        this.names = names;
    }

    @Override
    public Iterable<DiscoveryNode> discoverNodes() {
        List<DiscoveryNode> nodes = new ArrayList<>();
        for (var seed : seeds) {
            try {
                for (InetAddress address : names.addresses(seed.host())) {
                    nodes.add(new SimpleDiscoveryNode(new Address(address, seed.port())));
                }
            } catch (UnknownHostException notYet) {
                LOG.debug("The seed {} has no address yet", seed);
            }
        }
        return nodes;
    }

    @Override
    public Map<String, String> discoverLocalMetadata() {
        return Map.of();
    }

    @Override
    public void start() {}

    @Override
    public void destroy() {}
}
