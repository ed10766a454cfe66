package org.bergfried.router.api;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.router.chat.AnswerParser;
import org.bergfried.router.chat.Delta;
import org.bergfried.router.failover.AnswerEnd;
import org.bergfried.router.failover.Generation;
import org.bergfried.router.failover.GenerationListener;
import org.bergfried.router.meter.RouterMeters;
import org.jspecify.annotations.Nullable;

/// One client's answer: tokens come in from the generation's thread, events go out to the thread of a door.
public final class Answer {
    /// How an answer is given.
    ///
    /// @param model the served name.
    /// @param wholeCalls whether tool calls are given whole instead of in pieces.
    /// @param afterPosition events at or before this position are left out.
    /// @param bufferBytesMax how much may wait for the client.
    record Shape(String model, boolean wholeCalls, OptionalInt afterPosition, long bufferBytesMax) {}

    private final GenerationRecord record;
    private final AnswerParser parser;
    private final Shape shape;
    private final RouterMeters meters;
    private final AnswerBuffer buffer;
    private final WholeCalls calls = new WholeCalls();
    private int tokenCount; // used by the generation's thread only
    private @Nullable Generation generation; // guarded by this
    private @Nullable String cancelledBefore; // guarded by this

    Answer(GenerationRecord record, AnswerParser parser, Shape shape, RouterMeters meters) {
        this.record = record;
        this.parser = parser;
        this.shape = shape;
        this.meters = meters;
        this.buffer = new AnswerBuffer(shape.bufferBytesMax());
    }

    /// The generation's id.
    public String generationId() {
        return record.generationId();
    }

    /// The served name of the model.
    public String model() {
        return shape.model();
    }

    /// When the generation was created, in milliseconds since 1970.
    public long createdMillis() {
        return record.createdMillis();
    }

    /// The arithmetic and the model, for clients that compare answers.
    public String fingerprint() {
        return record.numericsId() + "-"
                + record.modelDigest()
                        .substring(0, Math.min(12, record.modelDigest().length()));
    }

    /// Waits for the next event; empty when none came in time.
    ///
    /// @throws ClusterException if the answer has ended with an error.
    public Optional<AnswerEvent> next(Duration timeout) throws InterruptedException {
        return buffer.next(timeout);
    }

    /// The client does not want the answer any more; its home stops at once.
    public void cancel(String why) {
        Generation running;
        synchronized (this) {
            cancelledBefore = why;
            running = generation;
        }
        if (running != null) {
            running.cancel(ErrorReason.CANCELLED, why);
        }
    }

    /// Connects the answer with its generation.
    void bind(Generation started) {
        String why;
        synchronized (this) {
            generation = started;
            why = cancelledBefore;
        }
        if (why != null) {
            started.cancel(ErrorReason.CANCELLED, why);
        }
    }

    GenerationListener listener() {
        return new Listener();
    }

    private final class Listener implements GenerationListener {
        @Override
        public void started(boolean resumable) {
            add(new AnswerEvent.Started(
                    record.generationId(),
                    shape.model(),
                    record.sampling().seed(),
                    record.promptIds().size(),
                    resumable));
        }

        @Override
        public boolean token(int position, int id) {
            tokenCount = position + 1;
            add(parser.next(id, position));
            return parser.matchedStop() == null;
        }

        @Override
        public String finished(AnswerEnd end, List<String> homes) {
            add(parser.end());
            calls.end(tokenCount).ifPresent(this::addIfLater);
            String reason = reason(end);
            add(new AnswerEvent.Finished(reason, record.promptIds().size(), tokenCount, homes));
            return reason;
        }

        @Override
        public void failed(ClusterException error) {
            buffer.fail(error);
        }

        private String reason(AnswerEnd end) {
            return switch (end) {
                case LENGTH -> "length";
                case STOP_ID, STOP_STRING ->
                    record.toolsEnabled() && parser.toolCallCount() > 0 ? "tool_calls" : "stop";
            };
        }

        private void add(@Nullable Delta delta) {
            if (delta == null) {
                return;
            }
            if (shape.wholeCalls()) {
                calls.join(delta).ifPresent(this::addIfLater);
            } else {
                addIfLater(delta);
            }
        }

        private void addIfLater(Delta delta) {
            boolean isKnown = shape.afterPosition().isPresent()
                    && delta.position() <= shape.afterPosition().getAsInt();
            if (!isKnown) {
                add(new AnswerEvent.More(delta));
            }
        }

        private void add(AnswerEvent event) {
            if (!buffer.add(event) && !isCancelled()) {
                meters.dropped();
                cancel("the client reads too slowly");
            }
        }
    }

    private synchronized boolean isCancelled() {
        return cancelledBefore != null;
    }
}
