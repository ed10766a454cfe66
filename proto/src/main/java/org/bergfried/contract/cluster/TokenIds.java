package org.bergfried.contract.cluster;

import java.util.Arrays;

/// An immutable list of token ids.
public final class TokenIds {
    private static final TokenIds EMPTY = new TokenIds(new int[0]);

    private final int[] ids; // [size]

    private TokenIds(int[] ids) {
        this.ids = ids;
    }

    /// No ids.
    public static TokenIds empty() {
        return EMPTY;
    }

    /// A copy of these ids.
    public static TokenIds of(int... ids) {
        return new TokenIds(ids.clone());
    }

    /// How many.
    public int size() {
        return ids.length;
    }

    /// The id at an index.
    public int get(int index) {
        return ids[index];
    }

    /// A copy as an array.
    public int[] toArray() {
        return ids.clone();
    }

    /// The ids from an index on.
    public TokenIds from(int index) {
        return new TokenIds(Arrays.copyOfRange(ids, index, ids.length));
    }

    /// These ids and then others.
    public TokenIds plus(TokenIds more) {
        int[] all = Arrays.copyOf(ids, ids.length + more.ids.length);
        System.arraycopy(more.ids, 0, all, ids.length, more.ids.length);
        return new TokenIds(all);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenIds that && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }

    /// Only the number: ids are a prompt or an answer, and those are never logged.
    @Override
    public String toString() {
        return ids.length + " ids";
    }
}
