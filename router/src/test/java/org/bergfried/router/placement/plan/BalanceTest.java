package org.bergfried.router.placement.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The score, against its plain twin with `==`, and the running loads of a table against the score.
final class BalanceTest {
    @Test
    void timesEqualThePlainTwinToTheBit() {
        for (long seed = 1; seed <= 300; seed++) {
            var random = new SplittableRandom(seed);
            LayerProblem problem = problem(random);
            boolean[] hosted = new boolean[problem.experts() * problem.workers()];
            for (int cell = 0; cell < hosted.length; cell++) {
                hosted[cell] = random.nextInt(3) == 0;
            }
            assertArrayEquals(plainTimes(problem, hosted), Balance.times(problem, hosted), "seed " + seed);
        }
    }

    @Test
    void aPlannedTableKnowsItsOwnTimes() {
        for (long seed = 1; seed <= 100; seed++) {
            LayerProblem problem = problem(new SplittableRandom(seed));
            var nothing = new boolean[problem.experts() * problem.workers()];
            LayerTable table = new FreshTable(problem, new GroupHomes(problem, nothing), 0).plan();
            double[] times = Balance.times(problem, table.hosted());
            for (int worker = 0; worker < problem.workers(); worker++) {
                assertEquals(times[worker], table.time(worker), 1e-9 * table.peak(), "seed " + seed);
            }
        }
    }

    @Test
    void balanceIsOneWhereAllAreEquallyBusyAndZeroWhereAnExpertIsNowhere() {
        var problem = new LayerProblem(
                0,
                new double[] {30, 10},
                new double[] {3, 1},
                new int[] {2, 2},
                new int[2],
                1,
                1,
                16,
                false,
                new BitSet(),
                new BitSet());
        assertEquals(1.0, Balance.of(problem, new boolean[] {true, false, false, true}));
        assertEquals(0.25, Balance.of(problem, new boolean[] {false, true, false, true}));
        assertEquals(0.0, Balance.of(problem, new boolean[] {true, true, false, false}));
        assertTrue(Balance.of(problem, new boolean[] {true, true, true, true}) < 1);
    }

    /// Worker by worker, expert by expert.
    private static double[] plainTimes(LayerProblem problem, boolean[] hosted) {
        double[] times = new double[problem.workers()];
        for (int worker = 0; worker < times.length; worker++) {
            double rows = 0;
            for (int expert = 0; expert < problem.experts(); expert++) {
                if (hosted[expert * times.length + worker]) {
                    int replicas = 0;
                    for (int other = 0; other < times.length; other++) {
                        if (hosted[expert * times.length + other]) {
                            replicas++;
                        }
                    }
                    rows += problem.load()[expert] / replicas;
                }
            }
            times[worker] = rows / problem.speed()[worker];
        }
        return times;
    }

    private static LayerProblem problem(SplittableRandom random) {
        int experts = 4 + random.nextInt(40);
        int workers = 1 + random.nextInt(8);
        double[] speed = random.doubles(workers, 0.5, 2).toArray();
        int[] slots = random.ints(workers, 1, 3)
                .map(extra -> extra + experts / workers)
                .toArray();
        return new LayerProblem(
                7,
                Eplb.load(random, experts, random.nextInt(4)),
                speed,
                slots,
                new int[workers],
                1,
                1,
                16,
                false,
                new BitSet(),
                new BitSet());
    }
}
