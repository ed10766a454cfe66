package org.bergfried.worker.dispatch;

/// What one frame carries: some rows of a layer, each with those of its experts that one host computes.
final class Part {
    static final int NO_PLACE = -1;

    final long dispatchId;
    final String host;
    final boolean cold; // the host may load experts for it
    final int width; // most experts of a row
    final int[] rows; // [n] rows of the assignment, ascending
    final int[] places; // [n, width] places in the row's assignment, NO_PLACE where a row has fewer
    long deadlineNanos;
    long sentNanos;
    boolean sent;

    Part(long dispatchId, String host, boolean cold, int width, int[] rows, int[] places, long deadlineNanos) {
        this.dispatchId = dispatchId;
        this.host = host;
        this.cold = cold;
        this.width = width;
        this.rows = rows;
        this.places = places;
        this.deadlineNanos = deadlineNanos;
    }

    int rowCount() {
        return rows.length;
    }

    int place(int index, int at) {
        return places[index * width + at];
    }
}
