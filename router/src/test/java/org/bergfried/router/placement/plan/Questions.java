package org.bergfried.router.placement.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;

/// Requests for tests, and copies of them with one thing changed.
final class Questions {
    static final long EXPERT_BYTES = 1000;

    private Questions() {}

    /// A random small model on a few unequal workers, room for more than one copy, no pins, nothing placed.
    static PlanRequest random(SplittableRandom random) {
        int layers = 1 + random.nextInt(4);
        int experts = 8 << random.nextInt(3);
        int workers = 2 + random.nextInt(7);
        int slots = Math.ceilDiv(experts, workers) + random.nextInt(1, 4);
        PlacementFacts facts = PlacementFacts.of(IntStream.range(1, layers + 1).toArray(), experts);
        int shape = random.nextInt(4);
        long[] load = IntStream.range(0, layers)
                .mapToObj(layer -> Eplb.load(random, experts, shape))
                .flatMapToDouble(Arrays::stream)
                .mapToLong(rows -> (long) rows)
                .toArray();
        long[] bytes = new long[layers];
        Arrays.fill(bytes, EXPERT_BYTES);
        var hosts = new ArrayList<PlanWorker>();
        for (int worker = 0; worker < workers; worker++) {
            double speed = 1000 * (1 + random.nextInt(2));
            hosts.add(worker("w" + worker, EXPERT_BYTES * slots * layers, speed));
        }
        return request(facts, load, bytes, hosts, Set.of());
    }

    /// A first placement without bans and groups.
    static PlanRequest request(
            PlacementFacts facts, long[] load, long[] bytes, List<PlanWorker> workers, Set<ExpertOnWorker> pins) {
        return new PlanRequest(
                "digest",
                "plan",
                facts,
                load,
                bytes,
                1,
                workers,
                pins,
                Set.of(),
                Optional.empty(),
                PlanSettings.defaults());
    }

    /// A random small model of unequal layers on racks of workers with hardly more memory than it needs.
    static PlanRequest tight(SplittableRandom random) {
        int layers = 1 + random.nextInt(4);
        int experts = 8 << random.nextInt(3);
        int workers = 2 + random.nextInt(7);
        long[] bytes = random.longs(layers, 500, 2000).toArray();
        double share = (double) experts / workers;
        var hosts = new ArrayList<PlanWorker>();
        for (int worker = 0; worker < workers; worker++) {
            long room = (long) (Arrays.stream(bytes).sum() * (share + 1 + 0.7 * random.nextInt(3)));
            double speed = 500 + 500 * random.nextInt(3);
            hosts.add(new PlanWorker("w" + worker, room, speed, 1e6, "b1", "rack" + worker % 2));
        }
        PlacementFacts facts = PlacementFacts.of(IntStream.range(2, layers + 2).toArray(), experts);
        long[] load = random.longs(facts.expertCount(), 0, 2000).toArray();
        return new PlanRequest(
                "digest",
                "plan",
                facts,
                load,
                bytes,
                1 << random.nextInt(3),
                hosts,
                Set.of(),
                Set.of(),
                Optional.empty(),
                PlanSettings.defaults());
    }

    static PlanWorker worker(String id, long bytes, double speed) {
        return new PlanWorker(id, bytes, speed, 1e9, "b1", "");
    }

    /// Equal workers w0, w1, ... with so many slots for each layer.
    static List<PlanWorker> equal(int workers, int slots, int layers) {
        return IntStream.range(0, workers)
                .mapToObj(worker -> worker("w" + worker, EXPERT_BYTES * slots * layers, 1000))
                .toList();
    }

    /// One layer with these loads.
    static PlanRequest layer(List<PlanWorker> workers, long... load) {
        return new PlanRequest(
                "digest",
                "plan",
                PlacementFacts.of(new int[] {3}, load.length),
                load,
                new long[] {EXPERT_BYTES},
                1,
                workers,
                Set.of(),
                Set.of(),
                Optional.empty(),
                PlanSettings.defaults());
    }

    static PlanRequest after(PlanRequest request, Placement current) {
        return with(request, request.load(), request.workers(), request.pins(), request.bans(), Optional.of(current));
    }

    static PlanRequest withLoad(PlanRequest request, long[] load) {
        return with(request, load, request.workers(), request.pins(), request.bans(), request.current());
    }

    static PlanRequest withWorkers(PlanRequest request, List<PlanWorker> workers) {
        return with(request, request.load(), workers, request.pins(), request.bans(), request.current());
    }

    static PlanRequest withRules(PlanRequest request, Set<ExpertOnWorker> pins, Set<ExpertOnWorker> bans) {
        return with(request, request.load(), request.workers(), pins, bans, request.current());
    }

    /// Up to so many random pins and bans that do not contradict each other.
    static PlanRequest withRandomRules(PlanRequest request, int most, SplittableRandom random) {
        var pins = new HashSet<ExpertOnWorker>();
        var bans = new HashSet<ExpertOnWorker>();
        int experts = request.facts().expertsPerLayer();
        for (int i = 0; i < most; i++) {
            var one = new ExpertOnWorker(
                    request.facts()
                            .moeLayers()
                            .get(random.nextInt(request.facts().moeLayers().size())),
                    random.nextInt(experts),
                    request.workers()
                            .get(random.nextInt(request.workers().size()))
                            .id());
            if (random.nextBoolean() && !bans.contains(one)) {
                pins.add(one);
            } else if (!pins.contains(one)) {
                bans.add(one);
            }
        }
        return withRules(request, pins, bans);
    }

    private static PlanRequest with(
            PlanRequest request,
            long[] load,
            List<PlanWorker> workers,
            Set<ExpertOnWorker> pins,
            Set<ExpertOnWorker> bans,
            Optional<Placement> current) {
        return new PlanRequest(
                request.modelDigest(),
                request.planId(),
                request.facts(),
                load,
                request.expertBytes(),
                request.expertGroups(),
                workers,
                pins,
                bans,
                current,
                request.settings());
    }
}
