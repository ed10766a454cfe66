package org.bergfried.worker.dispatch;

import java.util.Map;
import org.bergfried.contract.tensor.DispatchClass;

/// The other expert hosts that answer now.
public interface Peers extends AutoCloseable {
    /// No other hosts.
    Peers NONE = new Peers() {
        @Override
        public Map<String, Peer> living(DispatchClass dispatchClass) {
            return Map.of();
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    };

    /// Immutable, by worker id; the same object as long as nothing changes.
    Map<String, Peer> living(DispatchClass dispatchClass);

    @Override
    void close();
}
