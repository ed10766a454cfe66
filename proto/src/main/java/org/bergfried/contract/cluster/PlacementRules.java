package org.bergfried.contract.cluster;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/// What operators have said about the placement of a model: every plan obeys it.
///
/// @param modelDigest the model.
/// @param version grows with each change; 0 for rules that nobody has changed yet.
/// @param pins experts that must be on a worker.
/// @param bans experts that must not be on a worker.
/// @param draining workers that get neither experts nor generations.
public record PlacementRules(
        String modelDigest, long version, Set<ExpertOnWorker> pins, Set<ExpertOnWorker> bans, Set<String> draining) {
    /// Most pins, and most bans, of a model: every record of shared state stays small.
    public static final int ENTRIES_MAX = 4096;

    /// Checks bounds and copies.
    public PlacementRules {
        Bounds.id("modelDigest", modelDigest);
        Bounds.range("version", version, 0, Long.MAX_VALUE);
        Bounds.size("pins", pins.size(), ENTRIES_MAX);
        Bounds.size("bans", bans.size(), ENTRIES_MAX);
        Bounds.size("draining workers", draining.size(), ENTRIES_MAX);
        draining.forEach(worker -> Bounds.id("worker id", worker));
        pins = Set.copyOf(pins);
        bans = Set.copyOf(bans);
        draining = Set.copyOf(draining);
    }

    /// No rules.
    public static PlacementRules none(String modelDigest) {
        return new PlacementRules(modelDigest, 0, Set.of(), Set.of(), Set.of());
    }

    /// The same with a pin more.
    public PlacementRules withPin(ExpertOnWorker pin) {
        return new PlacementRules(modelDigest, version, changed(pins, set -> set.add(pin)), bans, draining);
    }

    /// The same without a pin.
    public PlacementRules withoutPin(ExpertOnWorker pin) {
        return new PlacementRules(modelDigest, version, changed(pins, set -> set.remove(pin)), bans, draining);
    }

    /// The same with a ban more.
    public PlacementRules withBan(ExpertOnWorker ban) {
        return new PlacementRules(modelDigest, version, pins, changed(bans, set -> set.add(ban)), draining);
    }

    /// The same without a ban.
    public PlacementRules withoutBan(ExpertOnWorker ban) {
        return new PlacementRules(modelDigest, version, pins, changed(bans, set -> set.remove(ban)), draining);
    }

    /// The same with a worker more that is drained.
    public PlacementRules withDraining(String workerId) {
        return new PlacementRules(modelDigest, version, pins, bans, changed(draining, set -> set.add(workerId)));
    }

    /// The same with a worker less that is drained.
    public PlacementRules withoutDraining(String workerId) {
        return new PlacementRules(modelDigest, version, pins, bans, changed(draining, set -> set.remove(workerId)));
    }

    /// The same as the next version.
    PlacementRules next(long newVersion) {
        return new PlacementRules(modelDigest, newVersion, pins, bans, draining);
    }

    private static <T> Set<T> changed(Collection<T> values, Consumer<Set<T>> change) {
        var copy = new HashSet<>(values);
        change.accept(copy);
        return copy;
    }
}
