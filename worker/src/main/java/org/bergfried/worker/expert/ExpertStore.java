package org.bergfried.worker.expert;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.ExpertSet;
import org.bergfried.contract.cluster.PlacementFacts;
import org.bergfried.worker.kernel.Backend;
import org.bergfried.worker.machine.MappedPages;
import org.bergfried.worker.model.FeedForwardSpec;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which routed experts are in memory. Hot ones are installed and evicted by order of the placement, in the
/// background; all others are cold and loaded on first use into a bounded least-recently-used set: same kernels, same
/// bits. Both have limits that are part of the worker's memory sum. Thread-safe.
public final class ExpertStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExpertStore.class);

    private final Model model;
    private final PlacementFacts facts;
    private final Backend backend;
    private final Budget budget;
    private final Verifier verifier;
    private final Map<Integer, Expert> hot = new HashMap<>(); // by cell; guarded by this
    private final LinkedHashMap<Integer, Expert> cold =
            new LinkedHashMap<>(16, 0.75f, true); // by cell, least recently used first; guarded by this
    private final ExpertSizes sizes;
    private final ExpertInstaller installer;
    private final BitSet hotCells = new BitSet(); // guarded by this
    private final BitSet verifiedCells = new BitSet(); // loaded before; guarded by this
    private volatile ExpertSet hotSet;
    private long hotBytes; // guarded by this
    private long leavingBytes; // of evicted experts that are still used; guarded by this
    private long coldBytes; // guarded by this
    private boolean closed; // guarded by this

    /// Bytes that experts may take of memory, their own or a file's mapping.
    ///
    /// @param hotBytesMax  of installed experts.
    /// @param coldBytesMax of experts that were loaded on use; at least the largest expert.
    public record Budget(long hotBytesMax, long coldBytesMax) {
        /// Room for every expert of a model as a hot one.
        public static Budget wholeModel(ExpertSizes sizes) {
            return new Budget(sizes.all(), sizes.largest());
        }
    }

    /// Checks the file's bytes of an expert before they are installed, or loaded on use for the first time; throws
    /// `ClusterException(WEIGHTS_CORRUPT)`.
    public interface Verifier {
        /// Trusts what was verified when the model was opened: for tools and tests.
        Verifier NONE = (layer, expert) -> {};

        /// Hashes the bytes again and compares them with the expert's digest.
        static Verifier digests(Model model) {
            return (layer, expert) -> {
                Optional<String> fault = model.expertFault(layer, expert);
                if (fault.isPresent()) {
                    throw new ClusterException(
                            ErrorReason.WEIGHTS_CORRUPT,
                            "the bytes of expert " + expert + " of layer " + layer + " differ from its digest "
                                    + model.expertDigest(layer, expert) + ": " + fault.get()
                                    + "; restore the model's files and restart the worker");
                }
            };
        }

        /// Checks one expert.
        void verify(int layer, int expert);
    }

    /// An empty store.
    ///
    /// @param backend what the experts are computed with; its owner closes it after this store.
    public ExpertStore(Model model, Backend backend, Budget budget, Verifier verifier) {
        this.model = model;
        this.facts = facts(model.spec());
        this.backend = backend;
        this.budget = budget;
        this.verifier = verifier;
        this.hotSet = ExpertSet.none(facts);
        this.installer = new ExpertInstaller(this, facts);
        sizes = new ExpertSizes(model, backend.weightSize());
        long largest = sizes.largest();
        if (budget.coldBytesMax < largest) {
            throw new ClusterException(
                    ErrorReason.TOO_LARGE,
                    "the memory for cold experts is " + budget.coldBytesMax + " bytes; one expert of this model needs "
                            + largest + "; raise the limit");
        }
    }

    /// Layers and experts of a model.
    ///
    /// @throws ClusterException if its layers have different numbers of experts.
    public static PlacementFacts facts(ModelSpec spec) {
        int[] layers = spec.moeLayers();
        int experts = layers.length == 0 ? 0 : experts(spec, layers[0]);
        for (int layer : layers) {
            if (experts(spec, layer) != experts) {
                throw new ClusterException(
                        ErrorReason.MODEL_UNSUPPORTED,
                        "layer " + layer + " has " + experts(spec, layer) + " experts where layer " + layers[0]
                                + " has " + experts + "; all must have the same number");
            }
        }
        return PlacementFacts.of(layers, experts);
    }

    private static int experts(ModelSpec spec, int layer) {
        return spec.layers().get(layer) instanceof FeedForwardSpec.Moe moe
                ? moe.gate().experts()
                : 0;
    }

    /// Bytes that an expert of a layer takes of memory as a hot one, by the first of the layer.
    public long expertBytes(int layer) {
        return sizes.bytes(layer);
    }

    /// The installed experts.
    public ExpertSet hot() {
        return hotSet;
    }

    /// Bytes of installed experts.
    public synchronized long hotBytes() {
        return hotBytes;
    }

    /// Bytes of experts that were loaded on use.
    public synchronized long coldBytes() {
        return coldBytes;
    }

    /// Bytes left for further experts. The memory of an evicted one counts until it is free.
    public synchronized long freeBytes() {
        return Math.max(0, budget.hotBytesMax - hotBytes - leavingBytes);
    }

    /// Installs those of a set that are not installed yet, in the background, and returns at once. What does not fit
    /// the limit, or differs from its digest, is left out.
    public Installation install(ExpertSet wanted) {
        return install(wanted, Repair.NONE, InstallListener.NONE);
    }

    /// The same.
    ///
    /// @param repair   a way to weights that are corrupt in the worker's own files.
    /// @param listener hears of each expert.
    public Installation install(ExpertSet wanted, Repair repair, InstallListener listener) {
        return installer.install(wanted, repair, listener);
    }

    /// Lets go of installed experts; the memory of one that is being computed is freed right after.
    ///
    /// @return completes when the memory of all of them is free.
    public CompletableFuture<Void> evict(ExpertSet unwanted) {
        var free = new ArrayList<Expert>();
        var freed = new ArrayList<CompletableFuture<Void>>();
        synchronized (this) {
            unwanted.cells().stream().forEach(cell -> {
                Expert expert = hot.remove(cell);
                if (expert != null) {
                    hotCells.clear(cell);
                    hotBytes -= expert.weightBytes;
                    expert.leavingBytes = expert.weightBytes;
                    leavingBytes += expert.leavingBytes;
                    expert.evicted = true;
                    freed.add(expert.freed);
                    collectIfUnused(expert, free);
                }
            });
            publishHot();
        }
        closeAll(free);
        return CompletableFuture.allOf(freed.toArray(CompletableFuture<?>[]::new));
    }

    /// An installed expert, marked as used, or null.
    synchronized @Nullable Expert acquireHot(int layer, int index) {
        Expert expert = hot.get(facts.cell(layer, index));
        if (expert != null) {
            expert.users++;
        }
        return expert;
    }

    /// Any expert, marked as used; a cold one is loaded. Called by the one thread that computes, while it uses no
    /// other cold one.
    ///
    /// @throws ClusterException if its bytes are corrupt.
    Expert acquire(int layer, int index) {
        int cell = facts.cell(layer, index);
        synchronized (this) {
            Expert expert = hot.containsKey(cell) ? hot.get(cell) : cold.get(cell);
            if (expert != null) {
                expert.users++;
                return expert;
            }
        }
        makeRoomForCold(sizes.bytes(layer, index));
        Expert loaded = load(layer, index);
        synchronized (this) {
            loaded.users = 1;
            cold.put(cell, loaded);
            coldBytes += loaded.weightBytes;
        }
        return loaded;
    }

    /// Ends the use of an expert. No operation with it may be queued or running.
    void release(Expert expert) {
        var free = new ArrayList<Expert>(1);
        synchronized (this) {
            expert.users--;
            collectIfUnused(expert, free);
        }
        closeAll(free);
    }

    /// Frees everything. Nothing may be computing.
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        installer.close();
        synchronized (this) {
            hot.values().forEach(Expert::close);
            cold.values().forEach(Expert::close);
            hot.clear();
            hotCells.clear();
            cold.clear();
            hotBytes = 0;
            coldBytes = 0;
            publishHot();
        }
    }

    /// Verifies and loads an expert that is not installed yet.
    ///
    /// @throws ClusterException if it is corrupt and cannot be repaired, does not fit, or the store is closed.
    void installOne(int layer, int index, Repair repair) {
        int cell = facts.cell(layer, index);
        long bytes = sizes.bytes(layer, index);
        synchronized (this) {
            if (closed) {
                throw new ClusterException(ErrorReason.DRAINING, "the worker shuts down and installs no experts");
            }
            if (hot.containsKey(cell)) {
                return;
            }
            if (hotBytes + leavingBytes + bytes > budget.hotBytesMax) {
                throw new ClusterException(
                        ErrorReason.TOO_LARGE,
                        "expert " + index + " of layer " + layer + " needs " + bytes + " bytes besides the "
                                + (hotBytes + leavingBytes) + " of the experts in memory; the limit is "
                                + budget.hotBytesMax
                                + "; raise it or place fewer experts here");
            }
        }
        makeHot(cell, loadOrRepair(layer, index, repair));
    }

    private synchronized void makeHot(int cell, Expert expert) {
        hot.put(cell, expert);
        hotCells.set(cell);
        hotBytes += expert.weightBytes;
        publishHot();
    }

    private Expert loadOrRepair(int layer, int index, Repair repair) {
        try {
            forgetVerified(layer, index); // an installation compares anew
            return load(layer, index);
        } catch (ClusterException refused) {
            if (refused.reason() != ErrorReason.WEIGHTS_CORRUPT) {
                throw refused;
            }
            ExpertCopies copies = repair.fetch(layer, index, refused);
            return Expert.load(backend, layer, index, model.expertOf(layer, index, copies.tensors()), copies);
        }
    }

    private synchronized void forgetVerified(int layer, int index) {
        verifiedCells.clear(facts.cell(layer, index));
    }

    private Expert load(int layer, int index) {
        int cell = facts.cell(layer, index);
        boolean known;
        synchronized (this) {
            known = verifiedCells.get(cell);
        }
        if (!known) {
            verifier.verify(layer, index);
            synchronized (this) {
                verifiedCells.set(cell);
            }
        }
        LOG.debug("Loading expert {} of layer {}", index, layer);
        Expert loaded = Expert.load(backend, layer, index, model.expert(layer, index), null);
        if (loaded.isPrivate()) {
            model.storedExpert(layer, index).forEach(part -> MappedPages.drop(part.bytes()));
        }
        return loaded;
    }

    private void makeRoomForCold(long bytes) {
        var free = new ArrayList<Expert>();
        synchronized (this) {
            Iterator<Expert> oldest = cold.values().iterator();
            while (coldBytes + bytes > budget.coldBytesMax && oldest.hasNext()) {
                Expert expert = oldest.next();
                oldest.remove();
                coldBytes -= expert.weightBytes;
                expert.evicted = true;
                collectIfUnused(expert, free);
            }
        }
        closeAll(free);
    }

    private void closeAll(List<Expert> unused) {
        for (Expert expert : unused) {
            expert.close();
            synchronized (this) {
                leavingBytes -= expert.leavingBytes;
            }
            expert.freed.complete(null);
        }
    }

    private static void collectIfUnused(Expert expert, List<Expert> free) {
        if (expert.evicted && expert.users == 0) {
            free.add(expert);
        }
    }

    private void publishHot() {
        hotSet = ExpertSet.of(facts, hotCells);
    }
}
