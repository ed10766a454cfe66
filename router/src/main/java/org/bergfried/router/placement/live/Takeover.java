package org.bergfried.router.placement.live;

import org.bergfried.contract.cluster.Placement;

/// Whose a placement is: the router spreads experts evenly by itself until an operator changes something.
public final class Takeover {
    private static final String MAKER = "even-";

    private Takeover() {}

    /// The name of a placement that the router made by itself.
    public static String automaticPlan(String rest) {
        return MAKER + rest;
    }

    /// Whether the router made this placement by itself.
    public static boolean isAutomatic(Placement placement) {
        return placement.planId().startsWith(MAKER);
    }
}
