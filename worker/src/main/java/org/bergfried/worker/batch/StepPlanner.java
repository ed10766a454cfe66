package org.bergfried.worker.batch;

import java.util.Comparator;
import java.util.List;

/// Decides how many rows each sequence gets in the next step: first one row for every sequence that decodes, then
/// chunks of prompts for the rest of the rows. Within each kind, who was served longest ago comes first, so nobody
/// starves. A pure function.
final class StepPlanner {
    private static final Comparator<Candidate> SERVED_LONGEST_AGO =
            Comparator.comparingLong(Candidate::lastStep).thenComparingLong(Candidate::arrival);

    private StepPlanner() {}

    /// A sequence as the planner sees it.
    interface Candidate {
        /// Tokens that are not computed yet, at least 1; 1 means that it decodes.
        int pending();

        /// Most rows of it in a step.
        int chunkRows();

        /// The step in which it last had rows; 0 for none.
        long lastStep();

        /// Grows with the order of arrival.
        long arrival();

        /// Takes the decision: 0 to `pending()` rows.
        void grant(int rows);
    }

    /// Grants rows to all candidates; their sum is at most `rowsMax`. The list is left in the order of service.
    static void plan(List<? extends Candidate> candidates, int rowsMax) {
        candidates.sort(SERVED_LONGEST_AGO);
        int left = rowsMax;
        for (Candidate candidate : candidates) {
            int rows = candidate.pending() == 1 ? Math.min(1, left) : 0;
            candidate.grant(rows);
            left -= rows;
        }
        for (Candidate candidate : candidates) {
            if (candidate.pending() > 1 && left > 0) {
                int rows = Math.min(left, Math.min(candidate.pending(), candidate.chunkRows()));
                candidate.grant(rows);
                left -= rows;
            }
        }
    }
}
