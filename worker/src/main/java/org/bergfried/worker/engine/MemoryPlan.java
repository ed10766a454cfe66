package org.bergfried.worker.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.ExpertSizes;
import org.bergfried.worker.expert.ExpertStore;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.kernel.cuda.CudaBackend;
import org.bergfried.worker.kvcache.KvCache;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelSpec;
import org.bergfried.worker.trunk.Trunk;
import org.bergfried.worker.trunk.TrunkCapacity;

/// What an engine will take at most, computed before anything is allocated: hot weights, cache, scratch, and
/// the rows on the way to and from other workers.
/// Weights that stay mapped are the file cache's and not in the sum.
///
/// @param items      of the host's memory, by name.
/// @param deviceItems of a device's memory, by name; empty without.
/// @param limit      of the process.
/// @param deviceLimit bytes of the device.
/// @param cachePages pages of the KV cache; 0 without a trunk.
/// @param context    most positions of a sequence; 0 without a trunk.
/// @param experts    memory for routed experts.
/// @param host       limits of the rows on the way.
public record MemoryPlan(
        List<Item> items,
        List<Item> deviceItems,
        MemoryLimit limit,
        long deviceLimit,
        int cachePages,
        int context,
        ExpertStore.Budget experts,
        HostSettings host) {
    private static final long COLD_BYTES = 64L << 20;
    private static final int SEQUENCES = 8; // of the default cache
    private static final int POSITIONS_MIN = 4096; // that the default cache tries to have

    /// A part of the memory.
    public record Item(String name, long bytes) {}

    /// Sizes an engine on the CPU.
    ///
    /// @throws ClusterException TOO_LARGE with all the numbers if it does not fit.
    public static MemoryPlan of(Model model, EngineSettings settings, MemoryLimit limit) {
        return of(model, settings, limit, DeviceMemory.NONE);
    }

    /// Sizes an engine.
    ///
    /// @throws ClusterException TOO_LARGE with all the numbers if it does not fit.
    static MemoryPlan of(Model model, EngineSettings settings, MemoryLimit limit, DeviceMemory device) {
        ModelSpec spec = model.spec();
        var items = new ArrayList<Item>();
        var deviceItems = new ArrayList<Item>();
        items.add(new Item("Java heap", limit.heap()));
        HostSettings host = RowMemory.limits(spec, settings, limit);
        ExpertStore.Budget experts = hostsExperts(spec, settings)
                ? experts(model, settings, host, device, items, deviceItems)
                : new ExpertStore.Budget(0, 0);
        items.addAll(RowMemory.items(spec, settings, host));
        int pages = 0;
        int context = 0;
        if (settings.runsTrunk()) {
            context =
                    settings.context() == 0 ? spec.contextLength() : Math.min(settings.context(), spec.contextLength());
            pages = pages(spec, settings, context, device.trunk() ? device.limit() : limit.bytes());
            context = (int) Math.min(context, (long) pages * KvCache.PAGE_ROWS);
            List<Item> large = device.trunk() ? deviceItems : items;
            large.add(new Item("trunk weights", TrunkWeights.residentBytes(model.trunk(), spec.tiedHead(), device)));
            large.add(new Item("KV cache", pages * Trunk.pageBytes(spec)));
            var scratch = new Item("trunk scratch", Trunk.memoryBytes(spec, capacity(settings, context)));
            items.add(scratch); // also beside a device: what the host writes and reads has a twin there
            if (device.trunk()) {
                deviceItems.add(scratch);
                long left = TrunkWeights.withoutKernels(model.trunk(), spec.tiedHead());
                addDevice("trunk", left, items, deviceItems);
            }
        }
        var plan = new MemoryPlan(
                List.copyOf(items), List.copyOf(deviceItems), limit, device.limit(), pages, context, experts, host);
        plan.require();
        return plan;
    }

    /// What a role on a device takes of both memories besides.
    ///
    /// @param left bytes of weights for which the device has no kernel.
    private static void addDevice(String role, long left, List<Item> items, List<Item> deviceItems) {
        items.add(new Item("pinned memory of the " + role, CudaBackend.pinnedBytes()));
        deviceItems.add(new Item("attention of the " + role, CudaBackend.scratchBytes()));
        if (left > 0) {
            items.add(new Item(role + " weights without CUDA kernels", left));
        }
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

    /// Bytes of the device in all.
    public long deviceBytes() {
        return deviceItems.stream().mapToLong(Item::bytes).sum();
    }

    /// Bytes of the limit that are not planned.
    public long freeBytes() {
        return Math.max(0, limit.bytes() - totalBytes());
    }

    /// The sum in one line, for the log and for refusals.
    public String describe() {
        String host = describe(items, limit.bytes());
        return deviceItems.isEmpty() ? host : host + "; on the device: " + describe(deviceItems, deviceLimit);
    }

    private static String describe(List<Item> items, long limit) {
        var text = new StringBuilder();
        for (Item item : items) {
            text.append(text.isEmpty() ? "" : " + ")
                    .append(item.name())
                    .append(' ')
                    .append(mebibytes(item.bytes()));
        }
        long total = items.stream().mapToLong(Item::bytes).sum();
        return text + " = " + mebibytes(total) + " of " + mebibytes(limit);
    }

    private void require() {
        if (totalBytes() > limit.bytes() || deviceBytes() > deviceLimit) {
            throw new ClusterException(
                    ErrorReason.TOO_LARGE,
                    "the engine needs more memory than there is: " + describe()
                            + "; lower cache.positions, experts.hot, experts.peersMax or batch.rowsMax");
        }
    }

    private static ExpertStore.Budget experts(
            Model model,
            EngineSettings settings,
            HostSettings host,
            DeviceMemory device,
            List<Item> items,
            List<Item> deviceItems) {
        var sizes = new ExpertSizes(model, device.expertWeights());
        ExpertStore.Budget whole = ExpertStore.Budget.wholeModel(sizes);
        long largest = sizes.largest();
        long hot = settings.hotBytes().orElse(whole.hotBytesMax());
        long coldDefault = Math.min(Math.max(COLD_BYTES, largest), Math.max(whole.hotBytesMax(), largest));
        long cold = settings.coldBytes().orElse(coldDefault);
        List<Item> large = device.experts() ? deviceItems : items;
        long own = sizes.ownMemory().all();
        large.add(new Item("hot experts", Math.min(hot, own)));
        large.add(new Item("cold experts", Math.min(cold, own)));
        var scratch = new Item("expert scratch", ExpertHost.scratchBytes(model.spec(), host));
        items.add(scratch); // also beside a device: what the host writes and reads has a twin there
        if (device.experts()) {
            deviceItems.add(scratch);
            addDevice("experts", lacksExpertKernels(model) ? hot + cold : 0, items, deviceItems);
        }
        return new ExpertStore.Budget(hot, cold);
    }

    private static int pages(ModelSpec spec, EngineSettings settings, int context, long limitBytes) {
        long pageBytes = Trunk.pageBytes(spec);
        if (settings.cacheBytes().isPresent()) {
            return Math.clamp(settings.cacheBytes().getAsLong() / pageBytes, 1, 1 << 25);
        }
        if (settings.cachePositions() > 0) {
            return KvCache.pagesFor(settings.cachePositions());
        }
        long wanted = (long) SEQUENCES * KvCache.pagesFor(context);
        long affordable = limitBytes / 4 / pageBytes;
        long least = KvCache.pagesFor(Math.min(context, POSITIONS_MIN));
        return (int) Math.min(1 << 25, Math.max(least, Math.min(wanted, affordable)));
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    /// Whether some expert, by the first of each layer, has weights of a type that CUDA has no kernel for.
    private static boolean lacksExpertKernels(Model model) {
        return Arrays.stream(model.spec().moeLayers())
                .anyMatch(layer -> model.expert(layer, 0).tensors().stream()
                        .anyMatch(tensor -> !CudaBackend.supports(tensor.type())));
    }
}
