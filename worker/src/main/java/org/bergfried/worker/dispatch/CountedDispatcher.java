package org.bergfried.worker.dispatch;

import java.lang.foreign.MemorySegment;

/// Counts the rows of each expert before another dispatcher sends them; what is sent again after a failure is counted
/// once, and a probe not at all.
public final class CountedDispatcher implements Dispatcher {
    private final Dispatcher sender;
    private final ExpertLoad load;

    /// @param sender closed with this.
    public CountedDispatcher(Dispatcher sender, ExpertLoad load) {
        this.sender = sender;
        this.load = load;
    }

    @Override
    public void beginStep(long step) {
        sender.beginStep(step);
    }

    @Override
    public void dispatch(Assignment assignment) {
        if (!load.isProbe(assignment.n())) {
            load.count(assignment.layer(), assignment.ids(), assignment.n() * assignment.chosen());
        }
        sender.dispatch(assignment);
    }

    @Override
    public void combine(MemorySegment sums, MemorySegment poisoned) {
        sender.combine(sums, poisoned);
    }

    @Override
    public void close() {
        sender.close();
    }
}
