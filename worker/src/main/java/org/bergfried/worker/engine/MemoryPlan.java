package org.bergfried.worker.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.trunk.Trunk;
import org.bergfried.worker.trunk.TrunkCapacity;

/// What an engine will take at most, computed before anything is allocated: hot weights, cache, scratch, and
/// the rows on the way to and from other workers.
/// Weights that stay mapped are the file cache's and not in the sum.
///
/// @param items      by name.
/// @param limit      of the process.
/// @param cachePages pages of the KV cache; 0 without a trunk.
/// @param context    most positions of a sequence; 0 without a trunk.
/// @param experts    memory for routed experts.
/// @param host       limits of the rows on the way.
public record MemoryPlan(
        List<Item> items,
        MemoryLimit limit,
        int cachePages,
        int context,
        ExpertStore.Budget experts,
        HostSettings host) {
    private static final long COLD_BYTES = 64L << 20;
    private static final int SEQUENCES = 8; // of the default cache
    private static final int POSITIONS_MIN = 4096; // that the default cache tries to have

    /// A part of the memory.
    public record Item(String name, long bytes) {}

    /// Sizes an engine.
    ///
    /// @throws ClusterException TOO_LARGE with all the numbers if it does not fit.
    public static MemoryPlan of(Model model, EngineSettings settings, MemoryLimit limit) {
        ModelSpec spec = model.spec();
        var items = new ArrayList<Item>();
        items.add(new Item("Java heap", limit.heap()));
        HostSettings host = RowMemory.limits(spec, settings, limit);
        ExpertStore.Budget experts =
                hostsExperts(spec, settings) ? experts(model, settings, host, items) : new ExpertStore.Budget(0, 0);
        items.addAll(RowMemory.items(spec, settings, host));
        int pages = 0;
        int context = 0;
        if (settings.runsTrunk()) {
            context =
                    settings.context() == 0 ? spec.contextLength() : Math.min(settings.context(), spec.contextLength());
            pages = pages(spec, settings, context, limit);
            context = (int) Math.min(context, (long) pages * KvCache.PAGE_ROWS);
            items.add(new Item("trunk weights", TrunkWeights.residentBytes(model.trunk(), spec.tiedHead())));
            items.add(new Item("KV cache", pages * Trunk.pageBytes(spec)));
            items.add(new Item("trunk scratch", Trunk.memoryBytes(spec, capacity(settings, context))));
        }
        var plan = new MemoryPlan(List.copyOf(items), limit, pages, context, experts, host);
        plan.require();
        return plan;
    }

    /// Whether there is anything to host.
    static boolean hostsExperts(ModelSpec spec, EngineSettings settings) {
        return settings.hostsExperts() && spec.moeLayers().length > 0;
    }

    /// The largest step.
    static TrunkCapacity capacity(EngineSettings settings, int context) {
        return new TrunkCapacity(settings.rowsMax(), settings.sequencesMax(), context, settings.logitsMax());
    }

    /// Bytes in all.
    public long totalBytes() {
        return items.stream().mapToLong(Item::bytes).sum();
    }

    /// Bytes of the limit that are not planned.
    public long freeBytes() {
        return Math.max(0, limit.bytes() - totalBytes());
    }

    /// The sum in one line, for the log and for refusals.
    public String describe() {
        var text = new StringBuilder();
        for (Item item : items) {
            text.append(text.isEmpty() ? "" : " + ")
                    .append(item.name())
                    .append(' ')
                    .append(mebibytes(item.bytes()));
        }
        return text + " = " + mebibytes(totalBytes()) + " of " + mebibytes(limit.bytes());
    }

    private void require() {
        if (totalBytes() > limit.bytes()) {
            throw new ClusterException(
                    ErrorReason.TOO_LARGE,
                    "the engine needs more memory than there is: " + describe()
                            + "; lower cache.positions, experts.hot, experts.peersMax or batch.rowsMax");
        }
    }

    private static ExpertStore.Budget experts(
            Model model, EngineSettings settings, HostSettings host, List<Item> items) {
        ExpertStore.Budget whole = ExpertStore.Budget.wholeModel(model);
        long largest = ExpertStore.largestExpertBytes(model);
        long hot = settings.hotBytes().orElse(whole.hotBytesMax());
        long coldDefault = Math.min(Math.max(COLD_BYTES, largest), Math.max(whole.hotBytesMax(), largest));
        long cold = settings.coldBytes().orElse(coldDefault);
        items.add(new Item("hot experts", hot));
        items.add(new Item("cold experts", cold));
        items.add(new Item("expert scratch", ExpertHost.scratchBytes(model.spec(), host)));
        return new ExpertStore.Budget(hot, cold);
    }

    private static int pages(ModelSpec spec, EngineSettings settings, int context, MemoryLimit limit) {
        long pageBytes = Trunk.pageBytes(spec);
        if (settings.cacheBytes().isPresent()) {
            return Math.clamp(settings.cacheBytes().getAsLong() / pageBytes, 1, 1 << 25);
        }
        if (settings.cachePositions() > 0) {
            return KvCache.pagesFor(settings.cachePositions());
        }
        long wanted = (long) SEQUENCES * KvCache.pagesFor(context);
        long affordable = limit.bytes() / 4 / pageBytes;
        long least = KvCache.pagesFor(Math.min(context, POSITIONS_MIN));
        return (int) Math.min(1 << 25, Math.max(least, Math.min(wanted, affordable)));
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }
}
