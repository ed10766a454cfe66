package org.bergfried.worker.sample;

/// Ids in the order "larger logit first, at equal logits the lower id", sorted only as far as somebody looks: a binary
/// heap whose taken elements stay behind in the same array.
final class Ranking {
    private final int[] ids; // [vocabularySize]: heap at the front, taken ids at the end of the used part, latest first
    private float[] logits = {};
    private int size;
    private int heapSize;

    Ranking(int vocabularySize) {
        ids = new int[vocabularySize];
    }

    /// Forgets everything and ranks by these logits from now on.
    void begin(float[] newLogits) {
        logits = newLogits;
        size = 0;
    }

    /// Adds an id to what will be ranked.
    void add(int id) {
        ids[size++] = id;
    }

    /// Ends the adding.
    void heapify() {
        heapSize = size;
        for (int root = heapSize / 2 - 1; root >= 0; root--) {
            sink(root);
        }
    }

    /// Ids that are ranked.
    int size() {
        return size;
    }

    /// The id at a place of the order; places are asked for without leaving any out.
    int at(int place) {
        if (place == size - heapSize) {
            int largest = ids[0];
            heapSize--;
            ids[0] = ids[heapSize];
            ids[heapSize] = largest;
            sink(0);
        }
        return ids[size - 1 - place];
    }

    /// Whether id `a` comes before id `b`.
    boolean before(int a, int b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    }

    private void sink(int from) {
        int hole = from;
        if (hole >= heapSize) {
            return;
        }
        int id = ids[hole];
        for (int child = 2 * hole + 1; child < heapSize; child = 2 * hole + 1) {
            if (child + 1 < heapSize && before(ids[child + 1], ids[child])) {
                child++;
            }
            if (!before(ids[child], id)) {
                break;
            }
            ids[hole] = ids[child];
            hole = child;
        }
        ids[hole] = id;
    }
}
