package org.bergfried.router.placement.plan;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// EPLB's published algorithm, written anew and plainly, as the yardstick: groups to nodes, copies of the heaviest
/// experts within a node, copies to workers, each time heaviest first to the emptiest with room.
final class Eplb {
    private Eplb() {}

    /// A question as EPLB takes it.
    record Case(double[][] load, int replicas, int groups, int nodes, int workers) {
        double balance() {
            return Arrays.stream(load)
                    .mapToDouble(layer -> score(layer, table(layer), workers))
                    .average()
                    .orElseThrow();
        }

        private int[] table(double[] layer) {
            return groups % nodes == 0
                    ? Eplb.table(layer, replicas, groups, nodes, workers)
                    : Eplb.table(layer, replicas, 1, 1, workers);
        }
    }

    /// A random question of the kinds that the checked-in cases have.
    static Case random(SplittableRandom random) {
        int nodes = pick(random, 1, 2, 2, 4);
        int workers = nodes * pick(random, 1, 2, 4, 8);
        int experts = pick(random, 16, 32, 64, 128, 256);
        while (experts < workers) {
            experts *= 2;
        }
        int groups = pick(random, 1, 4, 8);
        int replicas = Math.ceilDiv(experts, workers) * workers + workers * pick(random, 0, 0, 1, 1, 2, 4);
        double[][] load = new double[pick(random, 1, 2, 4)][];
        int shape = random.nextInt(4);
        for (int layer = 0; layer < load.length; layer++) {
            load[layer] = load(random, experts, shape);
        }
        return new Case(load, replicas, groups, nodes, workers);
    }

    /// Loads of one layer: 0 nearly equal, 1 as by Zipf, 2 with two hot experts, 3 growing with the index.
    static double[] load(SplittableRandom random, int experts, int shape) {
        double[] load = new double[experts];
        for (int expert = 0; expert < experts; expert++) {
            load[expert] = switch (shape) {
                case 0 -> random.nextInt(80, 121);
                case 1 -> Math.floor(20_000.0 / (1 + random.nextInt(experts)));
                case 2 -> random.nextInt(50, 151);
                default -> Math.floor(random.nextInt(300, 800) * (0.3 + 2.7 * expert / experts));
            };
        }
        if (shape == 2) {
            load[random.nextInt(experts)] *= pick(random, 5, 20, 60);
            load[random.nextInt(experts)] *= pick(random, 5, 20, 60);
        }
        return load;
    }

    private static int pick(SplittableRandom random, int... values) {
        return values[random.nextInt(values.length)];
    }

    /// Mean load of a worker over that of the fullest.
    static double score(double[] load, int[] slots, int workers) {
        int[] count = new int[load.length];
        for (int expert : slots) {
            count[expert]++;
        }
        double[] worker = new double[workers];
        for (int slot = 0; slot < slots.length; slot++) {
            worker[slot / (slots.length / workers)] += load[slots[slot]] / count[slots[slot]];
        }
        return Arrays.stream(worker).sum()
                / workers
                / Arrays.stream(worker).max().orElseThrow();
    }

    private static int[] table(double[] load, int replicas, int groups, int nodes, int workers) {
        int groupSize = load.length / groups;
        double[] groupLoad = new double[groups];
        for (int expert = 0; expert < load.length; expert++) {
            groupLoad[expert / groupSize] += load[expert];
        }
        int[] nodeOfGroup = pack(groupLoad, nodes);
        int[] table = new int[replicas];
        for (int node = 0; node < nodes; node++) {
            int here = node;
            int[] experts = IntStream.range(0, load.length)
                    .filter(expert -> nodeOfGroup[expert / groupSize] == here)
                    .toArray();
            int[] copies = copies(load, experts, replicas / nodes);
            int[] count = new int[load.length];
            IntStream.of(copies).forEach(expert -> count[expert]++);
            int[] pack = pack(
                    IntStream.of(copies)
                            .mapToDouble(expert -> load[expert] / count[expert])
                            .toArray(),
                    workers / nodes);
            int[] used = new int[workers / nodes];
            int perWorker = replicas / workers;
            for (int i = 0; i < copies.length; i++) {
                table[(node * (workers / nodes) + pack[i]) * perWorker + used[pack[i]]++] = copies[i];
            }
        }
        return table;
    }

    private static int[] copies(double[] load, int[] experts, int slots) {
        int[] copies = Arrays.copyOf(experts, slots);
        int[] count = new int[load.length];
        Arrays.fill(count, 1);
        for (int slot = experts.length; slot < slots; slot++) {
            int heaviest = experts[0];
            for (int expert : experts) {
                heaviest = load[expert] / count[expert] > load[heaviest] / count[heaviest] ? expert : heaviest;
            }
            copies[slot] = heaviest;
            count[heaviest]++;
        }
        return copies;
    }

    private static int[] pack(double[] weight, int packs) {
        int[] pack = new int[weight.length];
        double[] load = new double[packs];
        int[] used = new int[packs];
        int room = weight.length / packs;
        IntStream.range(0, weight.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer item) -> -weight[item]))
                .forEach(item -> {
                    int best = IntStream.range(0, packs)
                            .filter(one -> used[one] < room)
                            .boxed()
                            .min(Comparator.comparingDouble(one -> load[one]))
                            .orElseThrow();
                    pack[item] = best;
                    load[best] += weight[item];
                    used[best]++;
                });
        return pack;
    }
}
