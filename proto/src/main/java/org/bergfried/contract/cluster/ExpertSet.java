package org.bergfried.contract.cluster;

import java.util.Arrays;
import java.util.BitSet;

/// An immutable set of (layer, expert) of one model, one bit each.
public final class ExpertSet {
    private final PlacementFacts facts;
    private final BitSet cells; // [facts.expertCount()], never changed after construction

    private ExpertSet(PlacementFacts facts, BitSet cells) {
        this.facts = facts;
        this.cells = cells;
    }

    /// No expert.
    public static ExpertSet none(PlacementFacts facts) {
        return new ExpertSet(facts, new BitSet());
    }

    /// Every expert.
    public static ExpertSet all(PlacementFacts facts) {
        BitSet cells = new BitSet(facts.expertCount());
        cells.set(0, facts.expertCount());
        return new ExpertSet(facts, cells);
    }

    /// The experts whose cell ({@link PlacementFacts#cell}) is set.
    public static ExpertSet of(PlacementFacts facts, BitSet cells) {
        if (cells.length() > facts.expertCount()) {
            throw Bounds.invalid("expert set has the cell " + (cells.length() - 1) + "; the model has "
                    + facts.expertCount() + " experts");
        }
        return new ExpertSet(facts, (BitSet) cells.clone());
    }

    /// This set and one more expert.
    public ExpertSet with(int layer, int expert) {
        BitSet more = (BitSet) cells.clone();
        more.set(facts.cell(layer, expert));
        return new ExpertSet(facts, more);
    }

    /// Which model's experts.
    public PlacementFacts facts() {
        return facts;
    }

    /// Whether the expert is in the set.
    public boolean contains(int layer, int expert) {
        return cells.get(facts.cell(layer, expert));
    }

    /// The experts of a layer, ascending.
    public int[] experts(int layer) {
        int first = facts.cell(layer, 0);
        return cells.get(first, first + facts.expertsPerLayer()).stream().toArray();
    }

    /// How many experts, over all layers.
    public int count() {
        return cells.cardinality();
    }

    /// A copy of the bits, indexed by {@link PlacementFacts#cell}.
    public BitSet cells() {
        return (BitSet) cells.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExpertSet that && facts.equals(that.facts) && cells.equals(that.cells);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(cells.toLongArray());
    }

    @Override
    public String toString() {
        return count() + " of " + facts.expertCount() + " experts";
    }
}
