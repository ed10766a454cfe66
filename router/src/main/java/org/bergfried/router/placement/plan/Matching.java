package org.bergfried.router.placement.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;

/// Gives bundles that may be exchanged to those that have most of their contents already.
final class Matching {
    /// Whether two places are alike, so that their bundles may be exchanged.
    @FunctionalInterface
    interface Likeness {
        boolean areAlike(int one, int other);
    }

    private record Pair(int bundle, int place, int common) {}

    private Matching() {}

    /// A greedy match, the largest overlap first.
    ///
    /// @param common `[n][n]` how much of bundle i place j has already; bundle i is made for place i.
    /// @return `[n]` the place of each bundle, alike to the one that it is made for.
    static int[] match(int[][] common, Likeness likeness) {
        var pairs = new ArrayList<Pair>();
        for (int bundle = 0; bundle < common.length; bundle++) {
            for (int place = 0; place < common.length; place++) {
                if (common[bundle][place] > 0 && likeness.areAlike(bundle, place)) {
                    pairs.add(new Pair(bundle, place, common[bundle][place]));
                }
            }
        }
        pairs.sort(Comparator.comparingInt((Pair pair) -> -pair.common));
        int[] placeOf = new int[common.length];
        Arrays.fill(placeOf, LayerTable.NONE);
        boolean[] taken = new boolean[common.length];
        for (Pair pair : pairs) {
            if (placeOf[pair.bundle] == LayerTable.NONE && !taken[pair.place]) {
                placeOf[pair.bundle] = pair.place;
                taken[pair.place] = true;
            }
        }
        for (int bundle = 0; bundle < common.length; bundle++) {
            for (int place = 0; placeOf[bundle] == LayerTable.NONE; place++) {
                if (!taken[place] && likeness.areAlike(bundle, place)) {
                    placeOf[bundle] = place;
                    taken[place] = true;
                }
            }
        }
        return placeOf;
    }
}
