package org.bergfried.contract.cluster;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// The rules over a shared map: the key is the model, the version is that of the rules.
final class HazelcastRules implements RuleBoard {
    private final HazelcastSealedMap map;
    private final Listeners<PlacementRules> listeners = new Listeners<>();
    private final Map<String, PlacementRules> view = new HashMap<>(); // by model; guarded by itself

    HazelcastRules(HazelcastSealedMap map) {
        this.map = map;
        map.follow(value -> see(RecordCodec.decodeRules(value.plain())), model -> {});
    }

    @Override
    public PlacementRules current(String modelDigest) {
        synchronized (view) {
            return view.getOrDefault(modelDigest, PlacementRules.none(modelDigest));
        }
    }

    @Override
    public PlacementRules change(String modelDigest, UnaryOperator<PlacementRules> change) {
        while (true) {
            var stored = map.get(modelDigest);
            PlacementRules known = stored.map(found -> RecordCodec.decodeRules(found.plain()))
                    .orElseGet(() -> PlacementRules.none(modelDigest));
            PlacementRules next = change.apply(known).next(known.version() + 1);
            byte[] encoded = RecordCodec.encode(next);
            boolean written = stored.isPresent()
                    ? map.replace(modelDigest, stored.get(), next.version(), encoded)
                    : map.putIfAbsent(modelDigest, next.version(), encoded);
            if (written) {
                see(next);
                return next;
            }
        }
    }

    @Override
    public Registration onChange(Consumer<PlacementRules> listener) {
        return listeners.add(listener);
    }

    /// Listeners are called under the lock, so that no older version can be heard after a newer one.
    private void see(PlacementRules rules) {
        synchronized (view) {
            PlacementRules known = view.get(rules.modelDigest());
            if (known == null || rules.version() > known.version()) {
                view.put(rules.modelDigest(), rules);
                listeners.call(rules);
            }
        }
    }
}
