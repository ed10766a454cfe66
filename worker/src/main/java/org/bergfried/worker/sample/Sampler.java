package org.bergfried.worker.sample;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Draws tokens from logits (DESIGN.md section 6, "Sampling" and "Position"), in double with StrictMath. The order
/// is:
/// temperature, top-k, softmax, min-p, top-p, draw.
///
/// Where the order of additions matters it is this: the sum of the softmax runs over what top-k keeps, by ascending
/// id; top-p adds probabilities in sorted order until the sum reaches it, the crossing token included; the draw
/// compares the cumulative sum in sorted order with `u` times the kept probability, which is that last sum of top-p,
/// or without top-p (1) the sum by ascending id of what min-p keeps. Probabilities are not normalised a second time.
///
/// Its arrays are reused: it allocates nothing per token, and belongs to one thread.
public final class Sampler {
    private final float[] logits; // [vocabularySize]
    private final double[] probabilities; // [vocabularySize], 0 for what is not kept
    private final Ranking ranking;

    /// Makes the arrays.
    ///
    /// @param vocabularySize columns of the logits.
    public Sampler(int vocabularySize) {
        logits = new float[vocabularySize];
        probabilities = new double[vocabularySize];
        ranking = new Ranking(vocabularySize);
    }

    /// Draws the token of a position, or returns -1 if the largest logit is not finite.
    ///
    /// @param source       float32 logits without NaN.
    /// @param firstElement index of the row's first logit in it.
    /// @param sampling     how to draw.
    /// @param position     index of the token among the generated ones.
    public int draw(MemorySegment source, long firstElement, Sampling sampling, long position) {
        MemorySegment.copy(
                source, ValueLayout.JAVA_FLOAT_UNALIGNED, firstElement * Float.BYTES, logits, 0, logits.length);
        int largest = largest();
        if (!Float.isFinite(logits[largest])) {
            return -1;
        }
        if (sampling.temperature() == 0) {
            return largest;
        }
        boolean rankedByTopK = sampling.topK() > 0 && sampling.topK() < logits.length;
        int lastKept = rankedByTopK ? topK(sampling.topK()) : -1;
        softmax(sampling.temperature(), logits[largest], lastKept);
        double mass = minP(sampling.minP() * probabilities[largest]);
        if (!rankedByTopK) {
            rankKept();
        }
        return pick(sampling.topP(), CounterRandom.unit(sampling.seed(), position), mass);
    }

    private int largest() {
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
            if (logits[id] > logits[best]) {
                best = id;
            }
        }
        return best;
    }

    /// Ranks all ids as far as place `k - 1` and returns the id there.
    private int topK(int k) {
        ranking.begin(logits);
        for (int id = 0; id < logits.length; id++) {
            ranking.add(id);
        }
        ranking.heapify();
        int last = 0;
        for (int place = 0; place < k; place++) {
            last = ranking.at(place);
        }
        return last;
    }

    /// Probabilities of all ids that do not come after `lastKept` in the ranking (-1: of all); the others get 0.
    private void softmax(double temperature, float max, int lastKept) {
        double sum = 0;
        for (int id = 0; id < logits.length; id++) {
            boolean kept = lastKept < 0 || !ranking.before(lastKept, id);
            double weight = kept ? StrictMath.exp(((double) logits[id] - max) / temperature) : 0;
            probabilities[id] = weight;
            sum += weight;
        }
        for (int id = 0; id < logits.length; id++) {
            probabilities[id] /= sum;
        }
    }

    /// Sets probabilities below the floor to 0 and returns the sum of the others.
    private double minP(double floor) {
        double mass = 0;
        for (int id = 0; id < logits.length; id++) {
            if (probabilities[id] < floor) {
                probabilities[id] = 0;
            }
            mass += probabilities[id];
        }
        return mass;
    }

    private void rankKept() {
        ranking.begin(logits);
        for (int id = 0; id < logits.length; id++) {
            if (probabilities[id] > 0) {
                ranking.add(id);
            }
        }
        ranking.heapify();
    }

    private int pick(double topP, double unit, double mass) {
        if (topP == 1) {
            return walk(unit * mass);
        }
        double kept = 0;
        for (int place = 0; place < ranking.size() && kept < topP; place++) {
            double probability = probabilities[ranking.at(place)];
            if (probability == 0) {
                break;
            }
            kept += probability;
        }
        return walk(unit * kept);
    }

    /// The first id whose cumulative sum exceeds the target; where rounding keeps the sum below it, the last one with
    /// a probability.
    private int walk(double target) {
        double sum = 0;
        int id = ranking.at(0);
        for (int place = 0; place < ranking.size(); place++) {
            int next = ranking.at(place);
            if (probabilities[next] == 0) {
                break;
            }
            id = next;
            sum += probabilities[id];
            if (sum > target) {
                break;
            }
        }
        return id;
    }
}
