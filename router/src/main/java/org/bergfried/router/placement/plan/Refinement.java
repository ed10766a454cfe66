package org.bergfried.router.placement.plan;

import static org.bergfried.router.placement.plan.LayerTable.NONE;

/// Makes a table better by small changes at the fullest worker, until none helps: exchange a replica for a lighter
/// one of another worker (or for nothing), put a further replica of one of its experts elsewhere, or give up one of
/// its replicas. A change counts only if every worker that it touches stays below the time of the fullest.
final class Refinement {
    private static final int CHANGES_MAX = 2000;
    private static final double PROGRESS_MIN = 1e-9;

    private final LayerTable table;
    private final LayerProblem problem;

    // The best change found so far: the newcomer joins `joined` in place of `leaver` (or NONE).
    private double bestTime;
    private int newcomer;
    private int joined;
    private int leaver;

    Refinement(LayerTable table) {
        this.table = table;
        this.problem = table.problem();
    }

    /// Changes the table until the fullest worker needs no more than so many seconds, or no change helps.
    void run(double goal) {
        for (int i = 0; i < CHANGES_MAX; i++) {
            int fullest = table.fullest();
            double time = table.time(fullest);
            if (time <= goal || time == 0) {
                return;
            }
            double limit = time * (1 - PROGRESS_MIN);
            if (!exchange(fullest, limit) && !replicate(fullest, limit) && !relieve(fullest, limit)) {
                return;
            }
        }
    }

    private boolean exchange(int from, double limit) {
        start(limit);
        int moved = NONE;
        for (int slot = 0; slot < table.used(from); slot++) {
            int expert = table.expertAt(from, slot);
            if (problem.isPinned(expert, from) || table.timeWith(from, -table.share(expert)) >= bestTime) {
                continue; // even for nothing it would not be enough
            }
            double before = bestTime;
            for (int to = 0; to < problem.workers(); to++) {
                if (to != from) {
                    weighExchange(from, expert, to);
                }
            }
            moved = bestTime < before ? expert : moved;
        }
        if (moved == NONE) {
            return false;
        }
        table.take(moved, from);
        if (leaver != NONE) {
            table.take(leaver, joined);
            table.place(leaver, from);
        }
        table.place(moved, joined);
        return true;
    }

    /// An exchange is of use if it takes more rows than `least` from one worker and gives the other less than `most`.
    private void weighExchange(int from, int expert, int to) {
        double least = -table.rowsUntil(from, bestTime);
        double most = table.rowsUntil(to, bestTime);
        if (least >= most || !table.mayJoin(expert, to)) {
            return;
        }
        double share = table.share(expert);
        if (table.hasRoom(to)) {
            keepIfBetter(Math.max(table.timeWith(from, -share), table.timeWith(to, share)), expert, to, NONE);
        }
        for (int slot = 0; slot < table.used(to); slot++) {
            int other = table.expertAt(to, slot);
            double less = share - table.share(other);
            if (less > least && less < most && table.mayJoin(other, from) && !problem.isPinned(other, to)) {
                keepIfBetter(Math.max(table.timeWith(from, -less), table.timeWith(to, less)), expert, to, other);
            }
        }
    }

    /// A further replica of an expert of the fullest worker, in a free slot or in the place of a replica that others
    /// can do without.
    private boolean replicate(int from, double limit) {
        start(limit);
        for (int slot = 0; slot < table.used(from); slot++) {
            int expert = table.expertAt(from, slot);
            if (table.count(expert) >= problem.replicasMax()) {
                continue;
            }
            for (int to = 0; to < problem.workers(); to++) {
                if (table.mayJoin(expert, to)) {
                    weighJoin(expert, to, from);
                }
            }
        }
        return applyJoin();
    }

    /// A replica of the fullest worker is given up, for a replica of an expert that it did not have or for nothing.
    private boolean relieve(int from, double limit) {
        start(limit);
        for (int slot = 0; slot < table.used(from); slot++) {
            int expert = table.expertAt(from, slot);
            if (!isSpare(expert, from)) {
                continue;
            }
            keepIfBetter(peakAfter(NONE, from, expert, from), NONE, from, expert);
            for (int other = 0; other < problem.experts(); other++) {
                boolean isLighter = problem.load()[other] / (table.count(other) + 1) < table.share(expert);
                if (isLighter && table.count(other) < problem.replicasMax() && table.mayJoin(other, from)) {
                    keepIfBetter(peakAfter(other, from, expert, from), other, from, expert);
                }
            }
        }
        return applyJoin();
    }

    private void weighJoin(int expert, int to, int fullest) {
        double more = problem.load()[expert] / (table.count(expert) + 1);
        if (table.hasRoom(to)) {
            if (table.timeWith(to, more) < bestTime) {
                keepIfBetter(peakAfter(expert, to, NONE, fullest), expert, to, NONE);
            }
            return;
        }
        for (int slot = 0; slot < table.used(to); slot++) {
            int other = table.expertAt(to, slot);
            if (isSpare(other, to) && table.timeWith(to, more - table.share(other)) < bestTime) {
                keepIfBetter(peakAfter(expert, to, other, fullest), expert, to, other);
            }
        }
    }

    private boolean isSpare(int expert, int worker) {
        return table.count(expert) > 1 && !problem.isPinned(expert, worker);
    }

    /// The time of the fullest worker among those whose time changes, if one expert joins a worker and another one
    /// leaves it; infinite as soon as it is no better than the best.
    private double peakAfter(int joining, int at, int leaving, int fullest) {
        double gained = joining == NONE ? 0 : problem.load()[joining] / (table.count(joining) + 1);
        double lost = leaving == NONE ? 0 : table.share(leaving);
        double shrink = joining == NONE ? 0 : table.share(joining) - gained;
        double growth = leaving == NONE ? 0 : problem.load()[leaving] / (table.count(leaving) - 1) - lost;
        double peak = 0;
        for (int i = -1; i < problem.workers() && peak < bestTime; i++) {
            int worker = i < 0 ? fullest : i; // the fullest decides most often
            int growing = leaving == NONE ? 0 : table.times(leaving, worker);
            if (growing > 0 || worker == at || i < 0) {
                int shrinking = joining == NONE ? 0 : table.times(joining, worker);
                double rows = growing * growth - shrinking * shrink + (worker == at ? gained - lost - growth : 0);
                peak = Math.max(peak, table.timeWith(worker, rows));
            }
        }
        return peak < bestTime ? peak : Double.POSITIVE_INFINITY;
    }

    private void start(double limit) {
        bestTime = limit;
        joined = NONE;
    }

    private void keepIfBetter(double time, int joining, int at, int leaving) {
        if (time < bestTime) {
            bestTime = time;
            newcomer = joining;
            joined = at;
            leaver = leaving;
        }
    }

    private boolean applyJoin() {
        if (joined == NONE) {
            return false;
        }
        if (leaver != NONE) {
            table.remove(leaver, joined);
        }
        if (newcomer != NONE) {
            table.add(newcomer, joined);
        }
        return true;
    }
}
