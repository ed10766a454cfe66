package org.bergfried.router.failover;

import java.util.Arrays;

/// What a generation's client was told, to be told again to the next client.
final class Delivered {
    private boolean started;
    private boolean resumable;
    private int[] ids = new int[64]; // [size], grows
    private int size;

    void start(boolean isResumable) {
        started = true;
        resumable = isResumable;
    }

    void add(int position, int id) {
        if (position != size) {
            throw new IllegalStateException("delivered position " + position + " where " + size + " was due");
        }
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, size * 2);
        }
        ids[size++] = id;
    }

    void replay(GenerationListener listener) {
        if (!started) {
            return;
        }
        listener.started(resumable);
        for (int position = 0; position < size; position++) {
            if (!listener.token(position, ids[position])) {
                throw new IllegalStateException(
                        "a replay found a stop string at position " + position + " that the first client did not");
            }
        }
    }
}
