package org.bergfried.router.placement.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;

/// Carries out a plan in mind, the slow and obvious way, and fails where a step would break something.
final class Replay {
    private final PlanRequest request;
    private final String what;
    private final Set<ExpertOnWorker> hot = new HashSet<>();
    private final Map<String, Long> free = new HashMap<>();
    private final Set<ExpertOnWorker> drained = new HashSet<>();
    private Optional<Placement> published;

    private Replay(PlanRequest request, String what) {
        this.request = request;
        this.what = what;
        request.workers().forEach(worker -> free.put(worker.id(), worker.expertBytes()));
        published = request.current();
        published.ifPresent(placement -> forEach(placement, one -> {
            if (free.containsKey(one.workerId())) {
                hot.add(one);
                free.merge(one.workerId(), -bytes(one), Long::sum);
            }
        }));
    }

    /// Checks every step of a plan, and that they lead to its target.
    static void check(PlanRequest request, Plan plan, String what) {
        var replay = new Replay(request, what);
        plan.steps().forEach(replay::step);
        assertEquals(plan.target(), replay.published, what);
        assertEquals(plan.isEmpty(), plan.target().equals(request.current()), what);
    }

    private void step(PlanStep step) {
        switch (step) {
            case PlanStep.Install install -> install(install);
            case PlanStep.Activate activate -> activate(activate);
            case PlanStep.Drain drain -> {
                var one = new ExpertOnWorker(drain.layer(), drain.expert(), drain.workerId());
                assertFalse(isPublished(one), what + ": drains the active " + one);
                drained.add(one);
            }
            case PlanStep.Evict evict -> evict(evict);
        }
    }

    private void install(PlanStep.Install install) {
        var one = new ExpertOnWorker(install.layer(), install.expert(), install.workerId());
        assertTrue(
                install.source()
                        .map(source -> hot.contains(new ExpertOnWorker(one.layer(), one.expert(), source)))
                        .orElse(hot.stream().noneMatch(other -> isSameExpert(one, other) && isPublished(other))),
                what + ": wrong source of " + install);
        assertTrue(hot.add(one), what + ": installs twice " + one);
        assertEquals(bytes(one), install.bytes(), what);
        long left = free.merge(one.workerId(), -install.bytes(), Long::sum);
        assertTrue(left >= 0, what + ": " + install + " overfills by " + -left);
    }

    private void activate(PlanStep.Activate activate) {
        assertEquals(published.map(Placement::epoch).orElse(0L) + 1, activate.epoch(), what);
        Placement next = activate.placement(request, published);
        forEach(next, one -> assertTrue(hot.contains(one), what + ": activates the absent " + one));
        published = Optional.of(next);
    }

    private void evict(PlanStep.Evict evict) {
        var one = new ExpertOnWorker(evict.layer(), evict.expert(), evict.workerId());
        var other = new ExpertOnWorker(evict.layer(), evict.expert(), evict.acknowledgedBy());
        assertTrue(drained.remove(one) && hot.remove(one), what + ": evicts without draining " + one);
        assertTrue(hot.contains(other) && isPublished(other), what + ": " + other + " acknowledges and has nothing");
        free.merge(one.workerId(), bytes(one), Long::sum);
    }

    private boolean isPublished(ExpertOnWorker one) {
        return published
                .map(placement -> placement.replicas(one.layer(), one.expert()).contains(one.workerId()))
                .orElse(false);
    }

    private static boolean isSameExpert(ExpertOnWorker one, ExpertOnWorker other) {
        return one.layer() == other.layer() && one.expert() == other.expert();
    }

    private long bytes(ExpertOnWorker one) {
        return request.expertBytes()[request.facts().moeLayers().indexOf(one.layer())];
    }

    private static void forEach(Placement placement, java.util.function.Consumer<ExpertOnWorker> action) {
        for (int layer : placement.facts().moeLayers()) {
            for (int expert = 0; expert < placement.facts().expertsPerLayer(); expert++) {
                List<String> replicas = placement.replicas(layer, expert);
                for (String worker : replicas) {
                    action.accept(new ExpertOnWorker(layer, expert, worker));
                }
            }
        }
    }
}
