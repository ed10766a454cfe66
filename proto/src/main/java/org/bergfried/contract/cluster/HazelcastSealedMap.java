package org.bergfried.contract.cluster;

import com.hazelcast.core.EntryEvent;
import com.hazelcast.core.HazelcastException;
import com.hazelcast.core.HazelcastInstanceNotActiveException;
import com.hazelcast.map.IMap;
import com.hazelcast.map.listener.EntryAddedListener;
import com.hazelcast.map.listener.EntryExpiredListener;
import com.hazelcast.map.listener.EntryMergedListener;
import com.hazelcast.map.listener.EntryRemovedListener;
import com.hazelcast.map.listener.EntryUpdatedListener;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.seal.Sealer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A shared map whose values are sealed for their map and key. Every call may block for the call timeout and
/// fails with a [ClusterException].
final class HazelcastSealedMap {
    private static final Logger LOG = LoggerFactory.getLogger(HazelcastSealedMap.class);

    private final IMap<String, byte[]> map;
    private final Sealer sealer;

    HazelcastSealedMap(IMap<String, byte[]> map, Sealer sealer) {
        this.map = map;
        this.sealer = sealer;
    }

    /// A value and the sealed bytes that it was read from, for compare-and-set.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Stored(byte[] bytes, Sealer.Opened opened) {
        byte[] plain() {
            return opened.plain();
        }
    }

    Optional<Stored> get(String key) {
        byte[] bytes = call(() -> map.get(key));
        return bytes == null ? Optional.empty() : Optional.of(new Stored(bytes, open(key, bytes)));
    }

    void set(String key, long version, byte[] plain, Duration life) {
        byte[] bytes = seal(key, version, plain);
        call(() -> {
            map.set(key, bytes, life.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        });
    }

    boolean putIfAbsent(String key, long version, byte[] plain, Duration life) {
        byte[] bytes = seal(key, version, plain);
        return call(() -> map.putIfAbsent(key, bytes, life.toMillis(), TimeUnit.MILLISECONDS)) == null;
    }

    /// Without an end of life.
    boolean putIfAbsent(String key, long version, byte[] plain) {
        byte[] bytes = seal(key, version, plain);
        return call(() -> map.putIfAbsent(key, bytes)) == null;
    }

    boolean replace(String key, Stored expected, long version, byte[] plain) {
        byte[] bytes = seal(key, version, plain);
        return call(() -> map.replace(key, expected.bytes, bytes));
    }

    void setLife(String key, Duration life) {
        call(() -> map.setTtl(key, life.toMillis(), TimeUnit.MILLISECONDS));
    }

    void remove(String key) {
        call(() -> {
            map.delete(key);
            return true;
        });
    }

    /// Calls with each value that is written from now on, then with those that are there already; keys whose
    /// values vanish go to the second listener. A value that does not open is logged and left out.
    void follow(Consumer<KeyedValue> changed, Consumer<String> vanished) {
        Consumer<EntryEvent<String, byte[]>> write = event -> deliver(event.getKey(), event.getValue(), changed);
        EntryAddedListener<String, byte[]> added = write::accept;
        EntryUpdatedListener<String, byte[]> updated = write::accept;
        EntryMergedListener<String, byte[]> merged = write::accept;
        EntryRemovedListener<String, byte[]> removed = event -> vanished.accept(event.getKey());
        EntryExpiredListener<String, byte[]> expired = event -> vanished.accept(event.getKey());
        map.addEntryListener(added, true);
        map.addEntryListener(updated, true);
        map.addEntryListener(merged, true);
        map.addEntryListener(removed, false);
        map.addEntryListener(expired, false);
        map.forEach((key, bytes) -> deliver(key, bytes, changed));
    }

    /// A key and its opened value.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record KeyedValue(String key, byte[] plain) {}

    private void deliver(String key, byte[] bytes, Consumer<KeyedValue> listener) {
        try {
            listener.accept(new KeyedValue(key, open(key, bytes).plain()));
        } catch (ClusterException invalid) {
            LOG.warn("Leaving out an entry of shared state: {}", invalid.text());
        }
    }

    private byte[] seal(String key, long version, byte[] plain) {
        return sealer.seal(map.getName(), key, version, plain);
    }

    private Sealer.Opened open(String key, byte[] bytes) {
        return sealer.open(map.getName(), key, bytes);
    }

    private <T extends @Nullable Object> T call(Supplier<T> operation) {
        try {
            return operation.get();
        } catch (HazelcastInstanceNotActiveException closed) {
            throw new ClusterException(ErrorReason.DRAINING, "this member has left the cluster", closed);
        } catch (HazelcastException failed) {
            throw new ClusterException(
                    ErrorReason.WORKER_LOST,
                    "shared state " + map.getName() + " did not answer: " + failed.getMessage() + "; try again",
                    failed);
        }
    }
}
