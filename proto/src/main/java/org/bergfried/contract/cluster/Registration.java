package org.bergfried.contract.cluster;

/// A listener's registration; closing it ends the calls and never throws.
@FunctionalInterface
public interface Registration extends AutoCloseable {
    @Override
    void close();
}
