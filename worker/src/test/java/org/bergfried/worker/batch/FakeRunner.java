package org.bergfried.worker.batch;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.bergfried.worker.trunk.Step;
import org.bergfried.worker.trunk.StepRunner;

/// Logits that are a fixed function of the whole prefix, read back from the pages.
public final class FakeRunner implements StepRunner {
    public static final int VOCABULARY = 40;

    final List<Integer> rowsPerStep = new ArrayList<>();
    public volatile Consumer<Step> beforeStep = step -> {};
    volatile int poisonId = -1;
    private final FakePages pages;
    private final int rowsMax;

    public FakeRunner(FakePages pages, int rowsMax) {
        this.pages = pages;
        this.rowsMax = rowsMax;
    }

    @Override
    public int rowsMax() {
        return rowsMax;
    }

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public Outcome run(Step step) {
        beforeStep.accept(step);
        rowsPerStep.add(step.rows());
        boolean[] nonFinite = new boolean[step.slices().size()];
        var logits = new ArrayList<float[]>();
        for (int i = 0; i < nonFinite.length; i++) {
            Step.Slice slice = step.slices().get(i);
            for (int position = slice.from(); position < slice.from() + slice.count(); position++) {
                store(slice, position);
                nonFinite[i] |= slice.ids()[position] == poisonId;
                boolean last = position == slice.from() + slice.count() - 1;
                if (slice.logits() == Step.Logits.ALL || (slice.logits() == Step.Logits.LAST && last)) {
                    logits.add(logits(slice, position));
                }
            }
        }
        return new Outcome(flat(logits), nonFinite);
    }

    private void store(Step.Slice slice, int position) {
        int page = slice.memory().pages()[position / FakePages.PAGE];
        pages.cells[page][position % FakePages.PAGE] = slice.ids()[position];
    }

    private float[] logits(Step.Slice slice, int position) {
        long hash = 17;
        for (int p = 0; p <= position; p++) {
            int id = pages.cells[slice.memory().pages()[p / FakePages.PAGE]][p % FakePages.PAGE];
            if (id < 0) {
                throw new IllegalStateException("position " + p + " of a sequence was never computed");
            }
            hash = hash * 0x5851F42D4C957F2DL + id + 1;
        }
        var random = new SplittableRandom(hash);
        float[] row = new float[VOCABULARY];
        for (int id = 0; id < VOCABULARY; id++) {
            row[id] = (float) random.nextGaussian() * 2;
        }
        return row;
    }

    private static MemorySegment flat(List<float[]> rows) {
        float[] all = new float[rows.size() * VOCABULARY];
        for (int i = 0; i < rows.size(); i++) {
            System.arraycopy(rows.get(i), 0, all, i * VOCABULARY, VOCABULARY);
        }
        return MemorySegment.ofArray(all);
    }
}
