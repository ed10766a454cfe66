package org.bergfried.worker.dispatch;

import org.bergfried.contract.tensor.DispatchClass;

/// Hears how long other workers took for the rows that they were sent.
public interface RoundTrips {
    /// Hears nothing.
    RoundTrips UNHEARD = (dispatchClass, nanos) -> {};

    /// Rows came back.
    ///
    /// @param dispatchClass of the frame.
    /// @param nanos from sending the frame to its result, in nanoseconds.
    void answered(DispatchClass dispatchClass, long nanos);
}
