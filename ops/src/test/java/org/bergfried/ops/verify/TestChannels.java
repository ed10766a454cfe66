package org.bergfried.ops.verify;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;

/// Channels of a foreign client: not built by the product's own code, on purpose.
final class TestChannels {
    private TestChannels() {}

    static ManagedChannel plaintext(String target) {
        return NettyChannelBuilder.forTarget(target).usePlaintext().build();
    }
}
