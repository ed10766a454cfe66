package org.bergfried.worker.dispatch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import org.bergfried.contract.cluster.PlacementFacts;

/// How many rows each routed expert was chosen for since the trunk's start. The trunk's thread alone counts, by plain
/// additions; any thread may read, and sees a state that is at most a moment old.
public final class ExpertLoad {
    private static final int NO_EXPERTS = -1;

    private final PlacementFacts facts;
    private final int[] firstCells; // [layers], the layer's first cell or NO_EXPERTS
    private final AtomicLongArray rows; // [facts.expertCount()]
    private volatile boolean isProbed;

    /// No rows yet.
    public ExpertLoad(PlacementFacts facts) {
        this.facts = facts;
        firstCells = new int[facts.moeLayers().isEmpty() ? 0 : facts.moeLayers().getLast() + 1];
        Arrays.fill(firstCells, NO_EXPERTS);
        for (int layer : facts.moeLayers()) {
            firstCells[layer] = facts.cell(layer, 0);
        }
        rows = new AtomicLongArray(facts.expertCount());
    }

    /// Which model's experts.
    public PlacementFacts facts() {
        return facts;
    }

    /// Rows that an expert was chosen for.
    public long rows(int layer, int expert) {
        return rows.get(facts.cell(layer, expert));
    }

    /// Whether a probe of readiness goes through the trunk: its one row asks nobody's question and is not counted.
    public void probed(boolean isNow) {
        isProbed = isNow;
    }

    /// Whether a step of so many rows is nothing but a probe.
    boolean isProbe(int stepRows) {
        return isProbed && stepRows == 1;
    }

    /// Counts the choice of a layer's gate. `ids`: int32 `[terms]`. Allocates nothing.
    void count(int layer, MemorySegment ids, int terms) {
        int first = firstCells[layer];
        for (int term = 0; term < terms; term++) {
            int cell = first + ids.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, term);
            rows.lazySet(cell, rows.getPlain(cell) + 1);
        }
    }
}
