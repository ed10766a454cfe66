package org.bergfried.contract;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// Finds what somebody meant to write.
final class Nearest {
    private Nearest() {}

    /// The end of a message about an unknown name.
    static String suggestion(String unknown, List<String> known) {
        return known.stream()
                .min(Comparator.comparingInt(candidate -> distance(unknown, candidate)))
                .filter(best -> distance(unknown, best) <= Math.max(2, best.length() / 3))
                .map(best -> "did you mean " + best + "?")
                .orElse("known are " + String.join(", ", known));
    }

    /// Levenshtein's distance, whatever the case.
    static int distance(String left, String right) {
        String a = left.toLowerCase(Locale.ROOT);
        String b = right.toLowerCase(Locale.ROOT);
        int[] row = new int[b.length() + 1]; // distance of the prefix of a so far to each prefix of b
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
