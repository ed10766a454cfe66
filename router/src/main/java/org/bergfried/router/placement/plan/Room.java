package org.bergfried.router.placement.plan;

/// Finds a worker for a replica, and makes room where there is none.
final class Room {
    private final LayerTable table;
    private final LayerProblem problem;
    private final int[] workers;

    /// @param workers the workers to look at.
    Room(LayerTable table, int[] workers) {
        this.table = table;
        this.problem = table.problem();
        this.workers = workers;
    }

    /// Places a counted replica where it is done soonest; if no worker with a free slot may have it, others are
    /// moved out of the way.
    ///
    /// @param isNeeded whether replicas of other experts may be given up for it.
    /// @return whether it is placed now.
    boolean place(int expert, boolean isNeeded) {
        int best = soonest(expert);
        if (best != LayerTable.NONE) {
            table.place(expert, best);
            return true;
        }
        return placeByMove(expert) || (isNeeded && placeByChain(expert, new boolean[problem.workers()]));
    }

    private int soonest(int expert) {
        int best = LayerTable.NONE;
        double bestTime = Double.POSITIVE_INFINITY;
        for (int worker : workers) {
            if (table.hasRoom(worker) && table.mayJoin(expert, worker)) {
                double time = table.timeWith(worker, table.share(expert));
                if (time < bestTime) {
                    best = worker;
                    bestTime = time;
                }
            }
        }
        return best;
    }

    /// Moves one replica of another expert to a free slot that this expert may not use, and takes its place.
    private boolean placeByMove(int expert) {
        for (int free : workers) {
            if (!table.hasRoom(free)) {
                continue;
            }
            for (int full : workers) {
                if (!table.mayJoin(expert, full)) {
                    continue;
                }
                for (int slot = 0; slot < table.used(full); slot++) {
                    int other = table.expertAt(full, slot);
                    if (!problem.isPinned(other, full) && table.mayJoin(other, free)) {
                        table.take(other, full);
                        table.place(other, free);
                        table.place(expert, full);
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /// Kuhn's augmenting path over workers with several slots: finds a place for every expert if there is one.
    private boolean placeByChain(int expert, boolean[] seen) {
        for (int worker : workers) {
            if (seen[worker] || !table.mayJoin(expert, worker)) {
                continue;
            }
            seen[worker] = true;
            if (table.hasRoom(worker) || giveUpReplica(worker)) {
                table.place(expert, worker);
                return true;
            }
            for (int other : table.expertsOn(worker)) {
                if (!problem.isPinned(other, worker) && pushOut(other, worker, expert, seen)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean pushOut(int other, int worker, int expert, boolean[] seen) {
        table.take(other, worker);
        if (placeByChain(other, seen)) {
            table.place(expert, worker);
            return true;
        }
        table.place(other, worker);
        return false;
    }

    /// Removes the lightest replica of an expert that is elsewhere too.
    private boolean giveUpReplica(int worker) {
        int lightest = LayerTable.NONE;
        for (int slot = 0; slot < table.used(worker); slot++) {
            int expert = table.expertAt(worker, slot);
            boolean isLighter = lightest == LayerTable.NONE || table.share(expert) < table.share(lightest);
            if (isLighter && !problem.isPinned(expert, worker) && isElsewhere(expert, worker)) {
                lightest = expert;
            }
        }
        if (lightest == LayerTable.NONE) {
            return false;
        }
        table.remove(lightest, worker);
        return true;
    }

    private boolean isElsewhere(int expert, int worker) {
        for (int other : workers) {
            if (other != worker && table.isOn(expert, other)) {
                return true;
            }
        }
        return false;
    }
}
