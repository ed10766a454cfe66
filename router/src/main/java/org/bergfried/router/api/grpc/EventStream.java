package org.bergfried.router.api.grpc;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.router.api.Answer;
import org.bergfried.router.api.AnswerEvent;

/// Carries one answer into one call, on a virtual thread of its own: it waits for events, and for the client to
/// take them.
final class EventStream<A> {
    private static final Duration LOOK = Duration.ofSeconds(1);

    private final ServerCallStreamObserver<A> call;
    private final Function<org.bergfried.proto.inference.v1.AnswerEvent, A> wrap;
    private final Duration stallTimeout;
    private final Semaphore changed = new Semaphore(0);

    /// @param call a call whose handler has not returned yet: its callbacks are set here.
    EventStream(
            ServerCallStreamObserver<A> call,
            Function<org.bergfried.proto.inference.v1.AnswerEvent, A> wrap,
            Duration stallTimeout) {
        this.call = call;
        this.wrap = wrap;
        this.stallTimeout = stallTimeout;
        call.setOnReadyHandler(changed::release);
    }

    /// Starts the answer and carries it to its end.
    ///
    /// @param start starts the answer; it may refuse with a {@link ClusterException}.
    void run(Supplier<Answer> start, Consumer<String> ended) {
        var context = Context.current();
        var box = new AtomicReference<Answer>();
        call.setOnCancelHandler(() -> {
            Answer running = box.get();
            if (running != null) {
                running.cancel("the client went away");
            }
            changed.release();
        });
        Thread.ofVirtual().name("grpc-answer").start(context.wrap(() -> ended.accept(carry(start, box))));
    }

    private String carry(Supplier<Answer> start, AtomicReference<Answer> box) {
        try {
            Answer answer = start.get();
            box.set(answer); // a cancel that came before is seen by the first look of pump
            boolean isWhole = pump(answer);
            if (isWhole) {
                call.onCompleted();
            }
            return isWhole ? "OK" : ErrorReason.CANCELLED.name();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            return fail(new ClusterException(ErrorReason.DRAINING, "the router ends"));
        } catch (RuntimeException failure) {
            return fail(failure);
        }
    }

    /// Whether the answer was given to its end.
    private boolean pump(Answer answer) throws InterruptedException {
        while (true) {
            if (call.isCancelled()) {
                answer.cancel("the client went away");
                return false;
            }
            Optional<AnswerEvent> event = answer.next(LOOK);
            if (event.isPresent()) {
                awaitReady(answer);
                call.onNext(wrap.apply(Wire.event(event.get())));
                if (event.get() instanceof AnswerEvent.Finished) {
                    return true;
                }
            }
        }
    }

    private void awaitReady(Answer answer) throws InterruptedException {
        while (!call.isReady() && !call.isCancelled()) {
            if (!changed.tryAcquire(stallTimeout.toMillis(), TimeUnit.MILLISECONDS)) {
                String why = "the client has read nothing for " + stallTimeout.toSeconds() + " s";
                answer.cancel(why);
                throw new ClusterException(
                        ErrorReason.CANCELLED, why + "; generation " + answer.generationId() + " can be resumed");
            }
        }
    }

    private String fail(RuntimeException failure) {
        var status = Statuses.toStatus(failure);
        if (!call.isCancelled()) {
            call.onError(status);
        }
        return Statuses.toException(status).reason().name();
    }
}
