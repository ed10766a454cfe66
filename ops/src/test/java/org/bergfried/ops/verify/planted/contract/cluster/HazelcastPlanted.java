package org.bergfried.ops.verify.planted.contract.cluster;

import com.hazelcast.config.Config;

/// Allowed: an implementation.
public final class HazelcastPlanted {
    Config config = new Config();
}
