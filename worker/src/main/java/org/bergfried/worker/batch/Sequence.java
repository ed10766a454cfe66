package org.bergfried.worker.batch;

import java.util.Arrays;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.kvcache.SequenceMemory;
import org.bergfried.worker.trunk.Step;
import org.jspecify.annotations.Nullable;

/// A generation inside the engine. Everything but [#cancel] belongs to the step loop's thread.
final class Sequence implements StepPlanner.Candidate {
    private static final int READMISSION_HEADROOM = 256; // positions

    private final SequenceRequest request;
    private final SequenceMemory memory;
    private final Outbox outbox;
    private final long arrival;
    private final int tokensMax;
    private final int chunkRows;
    private int[] ids; // [at least tokenCount]: prompt, known and drawn tokens
    private int tokenCount;
    private int computed;
    private int granted;
    private long lastStep;
    private long stalledSinceNanos = Long.MAX_VALUE;
    private boolean admitted;
    private volatile boolean cancelled;

    Sequence(SequenceRequest request, SequenceMemory memory, Outbox outbox, long arrival, BatchLimits limits) {
        this.request = request;
        this.memory = memory;
        this.outbox = outbox;
        this.arrival = arrival;
        int prompt = request.promptIds().length;
        tokensMax = Math.min(request.tokensMax(), limits.contextPositions() - prompt);
        chunkRows = request.chunkRows() == 0 ? limits.prefillChunk() : request.chunkRows();
        tokenCount = prompt + request.knownIds().length;
        ids = Arrays.copyOf(request.promptIds(), Math.max(tokenCount, Math.min(tokenCount + 64, prompt + tokensMax)));
        System.arraycopy(request.knownIds(), 0, ids, prompt, request.knownIds().length);
    }

    SequenceRequest request() {
        return request;
    }

    SequenceMemory memory() {
        return memory;
    }

    Outbox outbox() {
        return outbox;
    }

    int tokenCount() {
        return tokenCount;
    }

    /// Tokens of the answer so far: the position of the next one.
    int answerCount() {
        return tokenCount - request.promptIds().length;
    }

    boolean admitted() {
        return admitted;
    }

    /// Reserves pages for all tokens that it has; after a preemption for some more, so that it does not lose them
    /// again at once.
    boolean admit() {
        int positionsMax = request.promptIds().length + tokensMax;
        int positions = admitted ? Math.min(tokenCount + READMISSION_HEADROOM, positionsMax) : tokenCount;
        if (!memory.reserve(Math.max(positions, tokenCount))) {
            return false;
        }
        admitted = true;
        return true;
    }

    @Override
    public int pending() {
        return tokenCount - computed;
    }

    @Override
    public int chunkRows() {
        return chunkRows;
    }

    @Override
    public long lastStep() {
        return lastStep;
    }

    @Override
    public long arrival() {
        return arrival;
    }

    @Override
    public void grant(int rows) {
        granted = rows;
    }

    int granted() {
        return granted;
    }

    /// Pages for everything that is computed and granted.
    boolean reserveGranted() {
        return memory.reserve(computed + granted);
    }

    /// Gives the pages back; everything is computed anew when there is room, with the same bits.
    void preempt() {
        memory.close();
        computed = 0;
        granted = 0;
    }

    Step.Slice slice() {
        boolean last = granted == pending();
        boolean all = request.logits() != null && computed < request.promptIds().length;
        Step.Logits wanted = all ? Step.Logits.ALL : last ? Step.Logits.LAST : Step.Logits.NONE;
        return new Step.Slice(memory, ids, computed, granted, wanted);
    }

    /// Takes note that the granted rows are computed.
    void advance(long step) {
        computed += granted;
        granted = 0;
        lastStep = step;
    }

    void append(int id) {
        if (tokenCount == ids.length) {
            long doubled = Math.min(2L * ids.length, (long) request.promptIds().length + tokensMax);
            ids = Arrays.copyOf(ids, (int) doubled);
        }
        ids[tokenCount++] = id;
        outbox.put(id);
    }

    /// How it has ended by its last token, or null if it goes on.
    Outbox.@Nullable End ended() {
        int answer = answerCount();
        if (answer > 0 && isStop(ids[tokenCount - 1])) {
            return new Outbox.End.Finished(FinishReason.STOP, answer);
        }
        return answer >= tokensMax ? new Outbox.End.Finished(FinishReason.LENGTH, answer) : null;
    }

    private boolean isStop(int id) {
        for (int stop : request.stopIds()) {
            if (stop == id) {
                return true;
            }
        }
        return false;
    }

    /// Looks whether its listener is behind by a whole outbox, and remembers since when.
    void watchReader(long nowNanos) {
        if (!outbox.full()) {
            stalledSinceNanos = Long.MAX_VALUE;
        } else if (stalledSinceNanos == Long.MAX_VALUE) {
            stalledSinceNanos = nowNanos;
        }
    }

    /// Whether it must pause, as of the last look.
    boolean stalled() {
        return stalledSinceNanos != Long.MAX_VALUE;
    }

    void cancel() {
        cancelled = true;
    }

    /// Why it must end now, or null.
    @Nullable
    ClusterException verdict(long nowNanos, long stalledMaxNanos) {
        if (cancelled) {
            return new ClusterException(ErrorReason.CANCELLED, "sequence " + request.id() + " was cancelled");
        }
        if (request.deadlineNanos() != Long.MAX_VALUE && nowNanos - request.deadlineNanos() >= 0) {
            return new ClusterException(
                    ErrorReason.DEADLINE,
                    "the deadline of sequence " + request.id() + " passed after " + answerCount() + " tokens");
        }
        if (stalled() && nowNanos - stalledSinceNanos >= stalledMaxNanos) {
            return new ClusterException(
                    ErrorReason.CANCELLED,
                    "sequence " + request.id() + " was cancelled because its reader took no event for "
                            + stalledMaxNanos / 1_000_000 + " ms; read on, or resume at position " + answerCount());
        }
        return null;
    }
}
