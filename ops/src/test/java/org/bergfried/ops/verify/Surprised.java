package org.bergfried.ops.verify;

import org.bergfried.contract.ClusterException;
import org.bergfried.worker.Worker;

/// Nothing may go wrong that ends a process.
record Surprised() implements Worker.Fatal {
    @Override
    public void bug(Throwable bug) {
        throw new AssertionError(bug);
    }

    @Override
    public void replaced(ClusterException why) {
        throw new AssertionError(why);
    }
}
