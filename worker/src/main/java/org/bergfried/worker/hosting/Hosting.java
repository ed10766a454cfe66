package org.bergfried.worker.hosting;

import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.Placement;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.InstallListener;
import org.bergfried.worker.expert.Installation;
import org.bergfried.worker.model.Model;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Changes which experts a worker has in memory, by order of routers, while rows are computed. An expert comes only
/// after its digest was compared, and goes only when another host has given its word that it keeps it: so that of two
/// hosts that are to let go of the same expert at a time, at least one keeps it.
public final class Hosting {
    private static final Logger LOG = LoggerFactory.getLogger(Hosting.class);
    private static final Duration FREED_MAX = Duration.ofSeconds(30); // a batch takes seconds at most

    private final ExpertStore store;
    private final ExpertHost host;
    private final PlacementFacts facts;
    private final Map<Integer, Long> bytesPerExpert = new TreeMap<>(); // by layer
    private final WeightPeers peers;
    private final ExpertFetcher fetcher;
    private final PlanFence fence = new PlanFence();
    private final ReentrantLock evicting = new ReentrantLock(); // one eviction command at a time
    private final BitSet leaving = new BitSet(); // cells that an eviction is about; guarded by itself
    private volatile Runnable onChange = () -> {};
    private volatile boolean ending;

    /// Hosts nothing yet.
    ///
    /// @param store     the experts; stays its owner's, as does the host.
    /// @param directory for weights that are fetched; see [ExpertFetcher].
    public Hosting(Model model, ExpertStore store, ExpertHost host, WeightPeers peers, Path directory) {
        this.store = store;
        this.host = host;
        this.peers = peers;
        facts = ExpertStore.facts(model.spec());
        facts.moeLayers().forEach(layer -> bytesPerExpert.put(layer, store.expertBytes(layer)));
        fetcher = new ExpertFetcher(host.settings().workerId(), model, peers, directory);
    }

    /// Who hears of each change of what is in memory, on any thread.
    public void onChange(Runnable listener) {
        onChange = listener;
    }

    /// Which model's experts.
    public PlacementFacts facts() {
        return facts;
    }

    /// The experts that are in memory.
    public ExpertSet hot() {
        return store.hot();
    }

    /// Bytes of installed experts.
    public long bytesHeld() {
        return store.hotBytes();
    }

    /// Bytes left for further experts.
    public long freeBytes() {
        return store.freeBytes();
    }

    /// Bytes of memory that one expert of a layer takes.
    public long bytesPerExpert(int layer) {
        return bytesPerExpert.getOrDefault(layer, 0L);
    }

    /// Rows that go through one expert in a second of computing; 0 before one second was computed.
    public double rowsPerSecond() {
        return host.rowsPerSecond();
    }

    /// The highest (epoch, plan) of a command or a placement.
    public Optional<PlanEpoch> highest() {
        return fence.highest();
    }

    /// Gives no word on experts any more: the worker will end.
    public void ends() {
        ending = true;
    }

    /// Brings experts to memory in the background.
    ///
    /// @param sourceIds workers that have them, for those whose bytes are corrupt here.
    /// @throws ClusterException STALE_PLAN.
    public Installation install(PlanEpoch command, ExpertSet wanted, List<String> sourceIds, InstallListener listener) {
        fence.admit(command);
        LOG.info("Installing {} by {}", wanted, command);
        return install(wanted, (layer, expert) -> sourceIds, listener);
    }

    /// Remembers a published placement and installs what it gives this worker and is not in memory: after a restart,
    /// that is all. What it does not give stays.
    public Installation follow(Placement placement) {
        fence.saw(new PlanEpoch(placement.epoch(), placement.planId()));
        BitSet missing = placement.expertsOn(host.settings().workerId()).cells();
        missing.andNot(store.hot().cells());
        return install(ExpertSet.of(facts, missing), placement::replicas, InstallListener.NONE);
    }

    /// The worker has acted on a placement: what it does not have it will not get by it.
    public void sawEpoch(long epoch) {
        host.sawEpoch(epoch);
    }

    /// Waits until the rows that were sent for experts under epochs before the command's are answered.
    ///
    /// @return frames that are not when the time is over; 0 if all are.
    /// @throws ClusterException STALE_PLAN.
    public int drain(PlanEpoch command, ExpertSet experts, Duration longest) throws InterruptedException {
        fence.admit(command);
        return host.awaitAnswered(experts, command.epoch(), longest);
    }

    /// Frees the memory of experts that another host confirms; returns when it is free.
    ///
    /// @return what became of each, in order.
    /// @throws ClusterException STALE_PLAN.
    public List<Eviction.Outcome> evict(PlanEpoch command, List<Eviction> evictions) throws InterruptedException {
        evicting.lockInterruptibly();
        try {
            fence.admit(command);
            var kept = new HashMap<Integer, String>(); // by cell, why
            BitSet cells = mark(evictions);
            CompletableFuture<Void> freed;
            try {
                BitSet confirmed = confirmed(evictions, cells, kept);
                freed = fence.ifStill(command, () -> store.evict(ExpertSet.of(facts, confirmed)))
                        .orElseGet(() -> keepAll(cells, kept));
            } finally {
                unmark(cells);
            }
            awaitFreed(freed);
            LOG.info(
                    "Evicted {} of {} experts by {}; kept: {}",
                    cells.cardinality() - kept.size(),
                    cells.cardinality(),
                    command,
                    kept.values());
            onChange.run();
            return evictions.stream().map(eviction -> outcome(eviction, kept)).toList();
        } finally {
            evicting.unlock();
        }
    }

    /// Which of some experts are in memory and stay there: this worker's word for others that want to evict theirs.
    public ExpertSet confirm(ExpertSet asked) {
        if (ending) {
            return ExpertSet.none(facts);
        }
        BitSet cells = asked.cells();
        synchronized (leaving) { // before looking at what is hot: what is evicted was marked before
            cells.andNot(leaving);
            cells.and(store.hot().cells());
        }
        return ExpertSet.of(facts, cells);
    }

    private Installation install(ExpertSet wanted, ExpertFetcher.Sources sources, InstallListener listener) {
        var announcing = new Announcing(listener);
        return store.install(wanted, fetcher.from(sources, listener), announcing);
    }

    /// The cells of the evictions that are in memory. From now on nobody gets a word on them.
    private BitSet mark(List<Eviction> evictions) {
        var cells = new BitSet();
        evictions.forEach(eviction -> cells.set(cell(eviction)));
        synchronized (leaving) {
            cells.and(store.hot().cells());
            leaving.or(cells);
        }
        return cells;
    }

    private void unmark(BitSet cells) {
        synchronized (leaving) {
            leaving.andNot(cells);
        }
    }

    /// Asks the other hosts, each once.
    ///
    /// @param kept gets those that are not confirmed.
    private BitSet confirmed(List<Eviction> evictions, BitSet cells, Map<Integer, String> kept) {
        var byHost = new TreeMap<String, BitSet>();
        for (Eviction eviction : evictions) {
            if (cells.get(cell(eviction))) {
                byHost.computeIfAbsent(eviction.acknowledgedBy(), id -> new BitSet())
                        .set(cell(eviction));
            }
        }
        var confirmed = new BitSet();
        byHost.forEach((id, asked) -> {
            BitSet word = word(id, asked, kept);
            confirmed.or(word);
        });
        return confirmed;
    }

    private BitSet word(String otherId, BitSet asked, Map<Integer, String> kept) {
        BitSet word = new BitSet();
        String why = "worker " + otherId + " does not confirm that it has the expert and keeps it";
        try {
            if (otherId.equals(host.settings().workerId())) {
                why = "worker " + otherId + " is this one; another must have the expert";
            } else {
                word = peers.confirm(otherId, ExpertSet.of(facts, asked)).cells();
                word.and(asked);
            }
        } catch (ClusterException silent) {
            why = "worker " + otherId + " gave no word: " + silent.text();
        }
        BitSet denied = (BitSet) asked.clone();
        denied.andNot(word);
        for (int cell = denied.nextSetBit(0); cell >= 0; cell = denied.nextSetBit(cell + 1)) {
            kept.put(cell, why);
        }
        return word;
    }

    private CompletableFuture<Void> keepAll(BitSet cells, Map<Integer, String> kept) {
        String why = "meanwhile " + fence.highest().map(PlanEpoch::toString).orElse("another plan") + " came";
        cells.stream().forEach(cell -> kept.put(cell, why));
        return CompletableFuture.completedFuture(null);
    }

    private static void awaitFreed(CompletableFuture<Void> freed) throws InterruptedException {
        try {
            freed.get(FREED_MAX.toSeconds(), TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException slow) {
            LOG.warn("Evicted experts are still used after {} s; their memory is freed later", FREED_MAX.toSeconds());
        }
    }

    private Eviction.Outcome outcome(Eviction eviction, Map<Integer, String> kept) {
        return new Eviction.Outcome(eviction, Optional.ofNullable(kept.get(cell(eviction))));
    }

    private int cell(Eviction eviction) {
        return facts.cell(eviction.layer(), eviction.expert());
    }

    /// Tells the cluster of each new expert before the listener hears of it.
    private final class Announcing implements InstallListener {
        private final InstallListener listener;

        Announcing(InstallListener listener) {
            this.listener = listener;
        }

        @Override
        public void loading(int layer, int expert) {
            listener.loading(layer, expert);
        }

        @Override
        public void installed(int layer, int expert) {
            onChange.run();
            listener.installed(layer, expert);
        }

        @Override
        public void failed(int layer, int expert, ClusterException why) {
            if (why.reason() == ErrorReason.WEIGHTS_CORRUPT) {
                LOG.error("Expert {} of layer {} is not installed: {}", expert, layer, why.text());
            }
            listener.failed(layer, expert, why);
        }
    }
}
