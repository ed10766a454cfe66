package org.bergfried.router.failover;

import java.util.Arrays;
import org.bergfried.contract.cluster.TokenIds;

/// The tokens of a generation, and how far they were delivered and logged.
final class TokenTrail {
    private int[] ids; // [size], grows
    private int size;
    private int delivered;
    private int logged;
    private long unloggedSince = Long.MAX_VALUE;

    TokenTrail(TokenIds known) {
        ids = Arrays.copyOf(known.toArray(), Math.max(64, known.size()));
        size = known.size();
        logged = size;
    }

    int size() {
        return size;
    }

    int last() {
        return ids[size - 1];
    }

    void add(int id, long now) {
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, size * 2);
        }
        ids[size++] = id;
        if (unloggedSince == Long.MAX_VALUE) {
            unloggedSince = now;
        }
    }

    TokenIds all() {
        return TokenIds.of(Arrays.copyOf(ids, size));
    }

    boolean hasUndelivered() {
        return delivered < size;
    }

    Move.Deliver deliverNext() {
        int position = delivered++;
        return new Move.Deliver(position, ids[position]);
    }

    int unloggedCount() {
        return size - logged;
    }

    /// When the oldest token that is not logged came; Long.MAX_VALUE if all are.
    long unloggedSince() {
        return unloggedSince;
    }

    Move.Log logRest(int attempt) {
        var move = new Move.Log(attempt, logged, TokenIds.of(Arrays.copyOfRange(ids, logged, size)));
        logged = size;
        unloggedSince = Long.MAX_VALUE;
        return move;
    }
}
