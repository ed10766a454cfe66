package org.bergfried.router.placement.live;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.contract.cluster.PlacementRules;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.router.placement.plan.Plan;
import org.bergfried.router.placement.plan.PlanRequest;
import org.bergfried.router.placement.plan.PlanStep;
import org.bergfried.router.placement.plan.PlanWorker;

/// Turns what is known of the cluster into the planner's question: pure functions.
///
/// @param base the published placement.
/// @param rules what operators have said.
/// @param workers the living expert workers of the model.
/// @param hostings what each of them has in memory.
/// @param load rows of each expert.
record PlanInputs(
        Placement base,
        PlacementRules rules,
        List<WorkerAnnouncement> workers,
        Map<String, Hosting> hostings,
        LoadWindow load) {
    private static final double LINK_BYTES_PER_SECOND = 1.25e9; // 10 Gbit/s; only the predicted seconds depend on it
    private static final double SPEED_NOISE = 1.5; // speeds nearer to the median than this are taken as equal

    /// The question.
    PlanRequest request(Wish wish, String planId) {
        var bans = new HashSet<>(rules.bans());
        bans.addAll(wish.bans());
        var pins = feasiblePins();
        pins.addAll(wish.pins());
        return new PlanRequest(
                base.modelDigest(),
                planId,
                base.facts(),
                load.rows(),
                expertBytes(),
                1,
                planWorkers(),
                pins,
                bans,
                Optional.of(numbered()),
                wish.settings());
    }

    /// What is in memory without being placed there, neither now nor by the plan, and has another living host.
    List<PreparedPlan.Leftover> leftovers(Plan plan) {
        Set<ExpertOnWorker> wanted = plan.steps().stream()
                .filter(PlanStep.Install.class::isInstance)
                .map(PlanStep.Install.class::cast)
                .map(install -> new ExpertOnWorker(install.layer(), install.expert(), install.workerId()))
                .collect(Collectors.toSet());
        var leftovers = new ArrayList<PreparedPlan.Leftover>();
        PlacementFacts facts = base.facts();
        for (Hosting hosting : hostings.values()) {
            for (int layer : facts.moeLayers()) {
                for (int expert : hosting.hot().experts(layer)) {
                    boolean isWanted = wanted.contains(new ExpertOnWorker(layer, expert, hosting.workerId()));
                    List<String> hosts = base.replicas(layer, expert);
                    if (!isWanted && !hosts.contains(hosting.workerId())) {
                        keeper(layer, expert)
                                .ifPresent(host -> leftovers.add(new PreparedPlan.Leftover(
                                        hosting.workerId(),
                                        new Hosts.Eviction(new Hosts.Expert(layer, expert), host))));
                    }
                }
            }
        }
        return leftovers;
    }

    private Optional<String> keeper(int layer, int expert) {
        return base.replicas(layer, expert).stream()
                .filter(host ->
                        hostings.containsKey(host) && hostings.get(host).hot().contains(layer, expert))
                .findFirst();
    }

    /// The placement with the highest epoch that a host has seen, so that no host takes the plan for an old one: a plan
    /// that failed has used epochs that were never published.
    private Placement numbered() {
        long seen = base.epoch();
        for (Hosting hosting : hostings.values()) {
            seen = Math.max(seen, hosting.epoch());
        }
        return new Placement(
                base.modelDigest(), seen, base.planId(), base.facts(), base.workerIds(), base.replicaTable());
    }

    /// Pins of workers that are away or being drained wait until they are back.
    private Set<ExpertOnWorker> feasiblePins() {
        var pins = new HashSet<ExpertOnWorker>();
        for (ExpertOnWorker pin : rules.pins()) {
            if (hostings.containsKey(pin.workerId()) && !rules.draining().contains(pin.workerId())) {
                pins.add(pin);
            }
        }
        return pins;
    }

    private long[] expertBytes() {
        long[] bytes = new long[base.facts().moeLayers().size()];
        for (Hosting hosting : hostings.values()) {
            for (int row = 0; row < bytes.length; row++) {
                bytes[row] = Math.max(bytes[row], hosting.bytesPerExpert()[row]);
            }
        }
        return bytes;
    }

    private List<PlanWorker> planWorkers() {
        Map<String, Double> speeds = speeds(hostings.values());
        var known = new ArrayList<PlanWorker>();
        for (WorkerAnnouncement worker : workers) {
            Hosting hosting = hostings.get(worker.id());
            if (hosting != null) {
                long bytes = rules.draining().contains(worker.id()) ? 0 : hosting.bytesFree() + hosting.bytesHeld();
                known.add(new PlanWorker(
                        worker.id(),
                        bytes,
                        speeds.getOrDefault(worker.id(), 1.0),
                        LINK_BYTES_PER_SECOND,
                        worker.numericsId(),
                        ""));
            }
        }
        return known;
    }

    /// Measured speeds, without the noise of measuring: who has not computed yet is as fast as the median.
    private static Map<String, Double> speeds(Collection<Hosting> hostings) {
        List<Double> measured = hostings.stream()
                .map(Hosting::rowsPerSecond)
                .filter(rate -> rate > 0 && rate < Double.POSITIVE_INFINITY)
                .sorted()
                .toList();
        double median = measured.isEmpty() ? 1 : measured.get(measured.size() / 2);
        var speeds = new HashMap<String, Double>();
        for (Hosting hosting : hostings) {
            double rate = hosting.rowsPerSecond();
            boolean isUsual = rate <= 0 || (rate < median * SPEED_NOISE && rate > median / SPEED_NOISE);
            speeds.put(hosting.workerId(), isUsual ? median : rate);
        }
        return speeds;
    }
}
