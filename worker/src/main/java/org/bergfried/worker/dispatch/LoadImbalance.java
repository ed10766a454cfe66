package org.bergfried.worker.dispatch;

import java.time.Duration;
import org.bergfried.contract.Clock;
import org.bergfried.contract.cluster.PlacementFacts;

/// How unevenly the rows of a trunk fall on the routed experts: the rows of the most chosen expert of a layer over the
/// mean of the layer's experts, of the layer where that is largest. 1 is even; a layer of 256 experts of which one does
/// all the work has 256. It looks at the rows of the last one to two minutes.
public final class LoadImbalance {
    private static final long WINDOW_NANOS = Duration.ofMinutes(1).toNanos();

    private final PlacementFacts facts;
    private final Rows rows;
    private final Clock clock;
    private long[] before; // [facts.expertCount()] rows when the window began
    private long[] since; // [facts.expertCount()] rows when the next one began
    private long sinceNanos;

    /// Rows that an expert was chosen for since the trunk's start.
    public interface Rows {
        /// May be called by any thread.
        long of(int layer, int expert);
    }

    /// Begins with no rows.
    public LoadImbalance(PlacementFacts facts, Rows rows, Clock clock) {
        this.facts = facts;
        this.rows = rows;
        this.clock = clock;
        this.before = count();
        this.since = before;
        this.sinceNanos = clock.nanoTime();
    }

    /// The imbalance, or NaN as long as no row was counted in the window.
    public synchronized double worst() {
        long[] now = count();
        if (clock.nanoTime() - sinceNanos >= WINDOW_NANOS) {
            before = since;
            since = now;
            sinceNanos = clock.nanoTime();
        }
        double worst = 0;
        for (int first = 0; first < now.length; first += facts.expertsPerLayer()) {
            worst = Math.max(worst, imbalance(now, first));
        }
        return worst == 0 ? Double.NaN : worst;
    }

    /// Of the layer whose experts begin at a cell; 0 without rows.
    private double imbalance(long[] now, int first) {
        long most = 0;
        long all = 0;
        for (int cell = first; cell < first + facts.expertsPerLayer(); cell++) {
            long own = now[cell] - before[cell];
            most = Math.max(most, own);
            all += own;
        }
        return all == 0 ? 0 : (double) most * facts.expertsPerLayer() / all;
    }

    private long[] count() {
        long[] counts = new long[facts.expertCount()];
        int cell = 0;
        for (int layer : facts.moeLayers()) {
            for (int expert = 0; expert < facts.expertsPerLayer(); expert++) {
                counts[cell++] = rows.of(layer, expert);
            }
        }
        return counts;
    }
}
