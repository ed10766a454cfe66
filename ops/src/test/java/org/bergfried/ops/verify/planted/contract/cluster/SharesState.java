package org.bergfried.ops.verify.planted.contract.cluster;

import com.hazelcast.config.Config;

/// Breaks: Hazelcast outside of its implementation.
public final class SharesState {
    Config config = new Config();
}
