package org.bergfried.router.placement.plan;

import java.util.BitSet;
import java.util.Map;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertOnWorker;

/// Checks single changes that an operator wants, and makes a target of them.
final class WantedChange {
    private final PlanIndex index;
    private final int replicasMax;

    WantedChange(PlanIndex index, int replicasMax) {
        this.index = index;
        this.replicasMax = replicasMax;
    }

    /// The current placement with some replicas more and some less.
    ///
    /// @throws ClusterException INVALID_REQUEST that says which change is impossible and why.
    BitSet target(Set<ExpertOnWorker> added, Set<ExpertOnWorker> removed) {
        var target = (BitSet) index.current().clone();
        for (ExpertOnWorker one : added) {
            int bit = bit(one);
            checkAdded(one, bit);
            target.set(bit);
        }
        for (ExpertOnWorker one : removed) {
            int bit = bit(one);
            check(index.current().get(bit), one, "it is not there");
            check(!index.pins().get(bit), one, "it is pinned there; unpin it first");
            target.clear(bit);
            check(hosts(target, bit) > 0, one, "it is the last replica; replicate it first");
        }
        for (ExpertOnWorker one : added) {
            check(
                    hosts(target, bit(one)) <= replicasMax,
                    one,
                    "the expert would have more than " + replicasMax + " replicas");
        }
        return target;
    }

    /// What to say if the memory of a worker is too full.
    static ClusterException noRoom(PlanIndex index, Set<ExpertOnWorker> added) {
        ExpertOnWorker one = added.iterator().next();
        int layer = index.request().facts().moeLayers().indexOf(one.layer());
        return invalid(
                one,
                "the worker has no room for the " + index.bytes(layer) + " bytes of an expert; evict something there"
                        + " first, or apply a plan");
    }

    private void checkAdded(ExpertOnWorker one, int bit) {
        int worker = index.indexOf(one.workerId());
        check(!index.current().get(bit), one, "it is there already");
        check(!index.bans().get(bit), one, "it is banned there; unban it first");
        check(index.worker(worker).expertBytes() > 0, one, "the worker has no memory for experts or is being drained");
        check(
                index.worker(worker).numericsId().equals(index.numericsId()),
                one,
                "the worker computes in " + index.worker(worker).numericsId() + ", the placement in "
                        + index.numericsId());
    }

    private int bit(ExpertOnWorker one) {
        int worker = index.indexOf(one.workerId());
        int cell = index.cell(one);
        check(worker >= 0, one, "there is no such living expert worker; there are " + index.workerIds());
        return cell * index.workers() + worker;
    }

    private int hosts(BitSet bits, int bit) {
        int first = bit - bit % index.workers();
        return bits.get(first, first + index.workers()).cardinality();
    }

    private static void check(boolean holds, ExpertOnWorker one, String why) {
        if (!holds) {
            throw invalid(one, why);
        }
    }

    private static ClusterException invalid(ExpertOnWorker one, String why) {
        return new ClusterException(
                ErrorReason.INVALID_REQUEST,
                one + ": " + why,
                Map.of(
                        "layer", Integer.toString(one.layer()),
                        "expert", Integer.toString(one.expert()),
                        "worker", one.workerId()));
    }
}
