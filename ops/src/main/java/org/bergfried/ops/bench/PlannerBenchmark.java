package org.bergfried.ops.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bergfried.contract.Clock;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.router.placement.plan.Plan;
import org.bergfried.router.placement.plan.PlanRequest;
import org.bergfried.router.placement.plan.PlanSettings;
import org.bergfried.router.placement.plan.PlanWorker;
import org.bergfried.router.placement.plan.Planner;

/// Times the planner on a map of DeepSeek-V3's size: 58 layers of 256 experts, by default on 64 workers with room
/// for a
/// quarter more replicas than experts. The load of experts is skewed as in traces of DeepSeek: the heaviest of a
/// layer
/// gets about ten times the mean.
public final class PlannerBenchmark {
    private static final int LAYERS = 58;
    private static final int EXPERTS = 256;
    private static final int GROUPS = 8;
    private static final int REPETITIONS = 9;
    private static final long EXPERT_BYTES = 24L << 20;
    private static final double SLOTS_PER_EXPERT = 1.25;

    private final Clock clock;
    private final int workers;
    private final PlacementFacts facts =
            PlacementFacts.of(IntStream.range(3, 3 + LAYERS).toArray(), EXPERTS);

    /// @param workers on which the experts are placed, at least 1.
    public PlannerBenchmark(Clock clock, int workers) {
        this.clock = clock;
        this.workers = workers;
    }

    /// Plans each case and tells the median and the longest time, line by line.
    public List<String> run() {
        long[] load = load(1);
        Plan first = Planner.plan(request(load, workers(1, 0), Optional.empty()));
        Optional<Placement> placed = first.target();
        List<String> lines = new ArrayList<>();
        lines.add(LAYERS + " layers of " + EXPERTS + " experts on " + workers + " workers");
        lines.add(String.format(Locale.ROOT, "%-40s %9s %9s %8s %16s", "", "median ms", "most ms", "steps", "balance"));
        lines.add(timed("first placement", request(load, workers(1, 0), Optional.empty())));
        lines.add(timed("from an even placement", request(load, workers(1, 0), Optional.of(even()))));
        lines.add(timed("the load has drifted", request(drifted(load), workers(1, 0), placed)));
        lines.add(timed("another load altogether", request(load(2), workers(1, 0), placed)));
        lines.add(timed("a worker was lost", request(load, workers(1, 1), placed)));
        lines.add(timed("workers of two speeds", request(load, workers(3, 0), Optional.empty())));
        lines.add(timed("two speeds, from an even placement", request(load, workers(3, 0), Optional.of(even()))));
        return lines;
    }

    private String timed(String name, PlanRequest request) {
        Plan plan = Planner.plan(request);
        double[] millis = new double[REPETITIONS];
        for (int i = 0; i < REPETITIONS; i++) {
            long begin = clock.nanoTime();
            plan = Planner.plan(request);
            millis[i] = (clock.nanoTime() - begin) / 1e6;
        }
        return String.format(
                Locale.ROOT,
                "%-40s %9.1f %9.1f %8d %7.3f to %.3f",
                name,
                Bench.median(millis),
                Arrays.stream(millis).max().orElseThrow(),
                plan.steps().size(),
                plan.meanBefore(),
                plan.meanAfter());
    }

    private PlanRequest request(long[] load, List<PlanWorker> hosts, Optional<Placement> current) {
        long[] bytes = new long[LAYERS];
        Arrays.fill(bytes, EXPERT_BYTES);
        Set<ExpertOnWorker> none = Set.of();
        return new PlanRequest(
                "bench", "bench", facts, load, bytes, GROUPS, hosts, none, none, current, PlanSettings.defaults());
    }

    private Placement even() {
        List<String> ids = workers(1, 0).stream().map(PlanWorker::id).toList();
        return Placement.even("bench", 1, "even", ids, facts);
    }

    private List<PlanWorker> workers(double speedOfEverySecond, int lost) {
        long slots = (long) Math.ceil(LAYERS * EXPERTS * SLOTS_PER_EXPERT / workers);
        return IntStream.range(lost, workers)
                .mapToObj(worker -> new PlanWorker(
                        String.format(Locale.ROOT, "worker-%03d", worker),
                        slots * EXPERT_BYTES,
                        worker % 2 == 0 ? 1 : speedOfEverySecond,
                        1e9,
                        "b1-f32-d",
                        ""))
                .toList();
    }

    private long[] load(int seed) {
        var random = new SplittableRandom(seed);
        return random.doubles(facts.expertCount())
                .mapToLong(draw -> (long) (1000 * StrictMath.pow(1 - draw, -0.6)))
                .toArray();
    }

    private static long[] drifted(long[] load) {
        var random = new SplittableRandom(3);
        return Arrays.stream(load)
                .map(rows -> (long) (rows * (0.7 + 0.6 * random.nextDouble())))
                .toArray();
    }
}
