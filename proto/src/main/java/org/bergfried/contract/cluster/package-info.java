/// The state that routers and workers share: which workers live, where experts are placed, which generations can
/// be resumed. Routers, workers and tools call it through {@link org.bergfried.contract.cluster.Cluster}. The
/// interfaces and records must not know Hazelcast; only the package-private classes behind `HazelcastCluster` do.
@NullMarked
package org.bergfried.contract.cluster;

import org.jspecify.annotations.NullMarked;
