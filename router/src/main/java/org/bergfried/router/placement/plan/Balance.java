package org.bergfried.router.placement.plan;

/// The score of a layer: how evenly the workers are busy, if each expert's rows are split evenly over its replicas.
final class Balance {
    private Balance() {}

    /// Time of each worker in seconds, `[workers]`: the rows of its replicas over its rows per second.
    ///
    /// @param hosted `[experts * workers]`.
    static double[] times(LayerProblem problem, boolean[] hosted) {
        int workers = problem.workers();
        double[] time = new double[workers];
        for (int expert = 0; expert < problem.experts(); expert++) {
            int first = expert * workers;
            int count = 0;
            for (int worker = 0; worker < workers; worker++) {
                count += hosted[first + worker] ? 1 : 0;
            }
            for (int worker = 0; worker < workers; worker++) {
                if (hosted[first + worker]) {
                    time[worker] += problem.load()[expert] / count;
                }
            }
        }
        for (int worker = 0; worker < workers; worker++) {
            time[worker] /= problem.speed()[worker];
        }
        return time;
    }

    /// The time that all workers together would need over the time of the fullest: 1 is perfect. Workers with
    /// neither room nor load do not count. 0 if an expert is nowhere.
    static double of(LayerProblem problem, boolean[] hosted) {
        if (hasUnplaced(problem, hosted)) {
            return 0;
        }
        double[] times = times(problem, hosted);
        double speed = 0;
        for (int worker = 0; worker < times.length; worker++) {
            speed += problem.slots()[worker] > 0 || times[worker] > 0 ? problem.speed()[worker] : 0;
        }
        double peak = peak(times);
        return peak == 0 ? 1 : rows(problem) / speed / peak;
    }

    /// The time of the fullest worker.
    static double peak(double[] times) {
        double peak = 0;
        for (double time : times) {
            peak = Math.max(peak, time);
        }
        return peak;
    }

    /// The time if all rows could be spread freely over the workers with room.
    static double ideal(LayerProblem problem) {
        double speed = 0;
        for (int worker = 0; worker < problem.workers(); worker++) {
            speed += problem.slots()[worker] > 0 ? problem.speed()[worker] : 0;
        }
        return rows(problem) / speed;
    }

    private static double rows(LayerProblem problem) {
        double rows = 0;
        for (double load : problem.load()) {
            rows += load;
        }
        return rows;
    }

    private static boolean hasUnplaced(LayerProblem problem, boolean[] hosted) {
        int workers = problem.workers();
        for (int expert = 0; expert < problem.experts(); expert++) {
            boolean isPlaced = false;
            for (int worker = 0; worker < workers; worker++) {
                isPlaced |= hosted[expert * workers + worker];
            }
            if (!isPlaced) {
                return true;
            }
        }
        return false;
    }
}
