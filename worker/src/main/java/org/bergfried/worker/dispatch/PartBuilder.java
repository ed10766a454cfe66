package org.bergfried.worker.dispatch;

import java.util.Arrays;
import java.util.function.Consumer;

/// Collects (row, place) terms for one host, rows ascending, and cuts them into parts.
final class PartBuilder {
    private int[] rows = new int[8]; // [terms]
    private int[] places = new int[8]; // [terms]
    private int terms;

    void add(int row, int place) {
        if (terms == rows.length) {
            rows = Arrays.copyOf(rows, 2 * terms);
            places = Arrays.copyOf(places, 2 * terms);
        }
        rows[terms] = row;
        places[terms] = place;
        terms++;
    }

    /// What a part is made of, without its id, host and deadline.
    record Cut(int width, int[] rows, int[] places) {}

    /// Gives the terms as cuts of at most `rowsMax` rows.
    void cut(int rowsMax, Consumer<Cut> target) {
        int from = 0;
        while (from < terms) {
            int to = from;
            int count = 0;
            int width = 0;
            while (to < terms && (count < rowsMax || rows[to] == rows[to - 1])) {
                int end = endOfRow(to);
                width = Math.max(width, end - to);
                count++;
                to = end;
                if (count == rowsMax) {
                    break;
                }
            }
            target.accept(cut(from, to, count, width));
            from = to;
        }
    }

    private int endOfRow(int from) {
        int to = from + 1;
        while (to < terms && rows[to] == rows[from]) {
            to++;
        }
        return to;
    }

    private Cut cut(int from, int to, int count, int width) {
        int[] cutRows = new int[count];
        int[] cutPlaces = new int[count * width];
        Arrays.fill(cutPlaces, Part.NO_PLACE);
        int index = -1;
        int at = 0;
        for (int term = from; term < to; term++) {
            if (term == from || rows[term] != rows[term - 1]) {
                index++;
                at = 0;
                cutRows[index] = rows[term];
            }
            cutPlaces[index * width + at++] = places[term];
        }
        return new Cut(width, cutRows, cutPlaces);
    }
}
