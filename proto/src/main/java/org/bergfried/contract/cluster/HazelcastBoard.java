package org.bergfried.contract.cluster;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// The placement board over a shared map: the key is the model, the version is the epoch.
final class HazelcastBoard implements PlacementBoard {
    private final HazelcastSealedMap map;
    private final Listeners<Placement> listeners = new Listeners<>();
    private final Map<String, Placement> view = new HashMap<>(); // by model; guarded by itself

    HazelcastBoard(HazelcastSealedMap map) {
        this.map = map;
        map.follow(value -> see(RecordCodec.decodePlacement(value.plain())), model -> {});
    }

    @Override
    public Optional<Placement> current(String modelDigest) {
        synchronized (view) {
            return Optional.ofNullable(view.get(modelDigest));
        }
    }

    @Override
    public boolean publish(Placement placement) {
        return publish(placement, placement::supersedes);
    }

    @Override
    public boolean publish(Placement placement, Optional<Placement> previous) {
        Predicate<Placement> isPrevious = known ->
                placement.supersedes(known) && previous.map(known::isSamePlan).orElse(false);
        return publish(placement, isPrevious);
    }

    private boolean publish(Placement placement, Predicate<Placement> replaces) {
        byte[] encoded = RecordCodec.encode(placement);
        String key = placement.modelDigest();
        while (true) {
            var stored = map.get(key);
            boolean written;
            if (stored.isEmpty()) {
                written = map.putIfAbsent(key, placement.epoch(), encoded);
            } else {
                Placement known = RecordCodec.decodePlacement(stored.get().plain());
                if (!replaces.test(known)) {
                    see(known);
                    return placement.equals(known);
                }
                written = map.replace(key, stored.get(), placement.epoch(), encoded);
            }
            if (written) {
                see(placement);
                return true;
            }
        }
    }

    @Override
    public Registration onChange(Consumer<Placement> listener) {
        return listeners.add(listener);
    }

    /// Listeners are called under the lock, so that no older epoch can be heard after a newer one.
    private void see(Placement placement) {
        synchronized (view) {
            Placement known = view.get(placement.modelDigest());
            if (known == null || placement.supersedes(known)) {
                view.put(placement.modelDigest(), placement);
                listeners.call(placement);
            }
        }
    }
}
