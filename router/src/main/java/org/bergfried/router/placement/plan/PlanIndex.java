package org.bergfried.router.placement.plan;

import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.jspecify.annotations.Nullable;

/// A request in indices: workers by sorted id, experts by {@link PlacementFacts#cell}, and bits over
/// `[facts.expertCount() * workers]`.
final class PlanIndex {
    private final PlanRequest request;
    private final List<PlanWorker> workers;
    private final Map<String, Integer> indexOf = new HashMap<>();
    private final String numericsId;
    private final int[] node; // [workers]
    private final int nodeCount;
    private final BitSet pins;
    private final BitSet bans;
    private final BitSet current;

    PlanIndex(PlanRequest request) {
        this.request = request;
        workers = request.workers().stream()
                .sorted(Comparator.comparing(PlanWorker::id))
                .toList();
        for (int worker = 0; worker < workers.size(); worker++) {
            indexOf.put(workers.get(worker).id(), worker);
        }
        current = request.current().map(this::bits).orElseGet(BitSet::new);
        numericsId = chooseNumerics();
        bans = bits(request.bans(), false);
        pins = bits(request.pins(), true);
        node = new int[workers.size()];
        var nodes = new TreeMap<String, Integer>();
        for (int worker = 0; worker < node.length; worker++) {
            Integer known = nodes.putIfAbsent(workers.get(worker).group(), nodes.size());
            node[worker] = known == null ? nodes.size() - 1 : known;
        }
        nodeCount = nodes.size();
    }

    PlanRequest request() {
        return request;
    }

    int layers() {
        return request.expertBytes().length;
    }

    int experts() {
        return request.facts().expertsPerLayer();
    }

    int workers() {
        return workers.size();
    }

    PlanWorker worker(int index) {
        return workers.get(index);
    }

    /// Bytes that a worker may fill with experts: none where another arithmetic would change bits.
    long capacity(int worker) {
        PlanWorker known = workers.get(worker);
        return known.numericsId().equals(numericsId) ? known.expertBytes() : 0;
    }

    long bytes(int layer) {
        return request.expertBytes()[layer];
    }

    int[] node() {
        return node;
    }

    int nodeCount() {
        return nodeCount;
    }

    BitSet current() {
        return current;
    }

    BitSet pins() {
        return pins;
    }

    BitSet bans() {
        return bans;
    }

    /// The part of one layer, `[experts * workers]`.
    BitSet ofLayer(BitSet bits, int layer) {
        int size = experts() * workers();
        return bits.get(layer * size, (layer + 1) * size);
    }

    /// Whether the current placement names workers that are not there any more.
    boolean hasLost(int layer) {
        for (int cell = layer * experts(); cell < (layer + 1) * experts(); cell++) {
            if (hasLostOf(cell)) {
                return true;
            }
        }
        return false;
    }

    /// The same of one expert.
    boolean hasLostOf(int cell) {
        return request.current()
                .map(placement ->
                        !indexOf.keySet().containsAll(placement.replicaTable().get(cell)))
                .orElse(false);
    }

    /// All replicas of an expert have one arithmetic, and so has a generation: the workers of one are used. That of
    /// the current placement's experts stays if it can; else the fastest workers that have room for the model.
    private String chooseNumerics() {
        var held = new HashMap<String, Integer>();
        var speed = new TreeMap<String, Double>();
        var room = new HashMap<String, Long>();
        for (PlanWorker worker : workers) {
            speed.merge(worker.numericsId(), worker.rowsPerSecond(), Double::sum);
            room.merge(worker.numericsId(), worker.expertBytes(), Math::addExact);
        }
        current.stream().forEach(bit -> held.merge(workers.get(bit % workers()).numericsId(), 1, Integer::sum));
        long needed = 0;
        for (long bytes : request.expertBytes()) {
            needed += bytes * experts();
        }
        long modelBytes = needed;
        return speed.keySet().stream()
                .max(Comparator.comparing((String id) -> room.getOrDefault(id, 0L) >= modelBytes)
                        .thenComparing(id -> held.getOrDefault(id, 0))
                        .thenComparing(id -> speed.getOrDefault(id, 0.0)))
                .orElse("");
    }

    private BitSet bits(Placement placement) {
        var bits = new BitSet();
        for (int cell = 0; cell < placement.replicaTable().size(); cell++) {
            for (String id : placement.replicaTable().get(cell)) {
                Integer worker = indexOf.get(id);
                if (worker != null) {
                    bits.set(cell * workers() + worker);
                }
            }
        }
        return bits;
    }

    private BitSet bits(Set<ExpertOnWorker> wanted, boolean isPin) {
        var bits = new BitSet();
        for (ExpertOnWorker one : wanted) {
            Integer worker = indexOf.get(one.workerId());
            if (isPin) {
                checkPin(one, worker == null ? null : workers.get(worker));
            }
            if (worker != null) { // a ban of a worker that is away is kept by itself
                bits.set(cell(one) * workers() + worker);
            }
        }
        return bits;
    }

    /// The index of a worker; -1 if it does not live.
    int indexOf(String workerId) {
        return indexOf.getOrDefault(workerId, -1);
    }

    /// The living workers, sorted.
    List<String> workerIds() {
        return workers.stream().map(PlanWorker::id).toList();
    }

    /// The arithmetic of the placement.
    String numericsId() {
        return numericsId;
    }

    /// The cell of an expert.
    ///
    /// @throws ClusterException if the model has no such expert.
    int cell(ExpertOnWorker one) {
        PlacementFacts facts = request.facts();
        if (!facts.moeLayers().contains(one.layer()) || one.expert() < 0 || one.expert() >= experts()) {
            throw invalid(one + ": the model has no such expert; its layers " + facts.moeLayers() + " have " + experts()
                    + " experts each");
        }
        return facts.cell(one.layer(), one.expert());
    }

    private void checkPin(ExpertOnWorker pin, @Nullable PlanWorker worker) {
        if (worker == null) {
            throw impossible(pin, "there is no such worker");
        }
        if (request.bans().contains(pin)) {
            throw impossible(pin, "it is banned there");
        }
        if (worker.expertBytes() == 0) {
            throw impossible(pin, "the worker has no memory for experts or is being drained");
        }
        if (!worker.numericsId().equals(numericsId)) {
            throw impossible(pin, "the worker computes in " + worker.numericsId() + ", the placement in " + numericsId);
        }
    }

    /// A pin that cannot be obeyed.
    static ClusterException impossible(ExpertOnWorker pin, String why) {
        return new ClusterException(
                ErrorReason.INVALID_REQUEST,
                "the pin of " + pin + " is impossible: " + why + "; unpin it",
                Map.of(
                        "layer", Integer.toString(pin.layer()),
                        "expert", Integer.toString(pin.expert()),
                        "worker", pin.workerId()));
    }

    private static ClusterException invalid(String message) {
        return new ClusterException(ErrorReason.INVALID_REQUEST, message);
    }
}
