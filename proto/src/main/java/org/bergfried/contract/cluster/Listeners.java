package org.bergfried.contract.cluster;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// Listeners of one kind of change, called in the order in which they came.
final class Listeners<T> {
    private final List<Entry<T>> entries = new CopyOnWriteArrayList<>();

    /// A registration is compared by identity, so that one listener may register twice.
    private static final class Entry<T> {
        final Consumer<T> listener;

        Entry(Consumer<T> listener) {
            this.listener = listener;
        }
    }

    Registration add(Consumer<T> listener) {
        var entry = new Entry<>(listener);
        entries.add(entry);
        return () -> entries.remove(entry);
    }

    void call(T event) {
        for (Entry<T> entry : entries) {
            entry.listener.accept(event);
        }
    }
}
