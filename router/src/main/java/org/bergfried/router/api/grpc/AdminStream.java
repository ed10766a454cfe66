package org.bergfried.router.api.grpc;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.router.api.admin.AdminGate;
import org.bergfried.router.api.admin.Administration;
import org.bergfried.router.api.admin.Feed;
import org.bergfried.router.meter.RouterMeters;

/// Answers calls of the admin services: whole ones at once, streams on a virtual thread of their own that waits for
/// the client.
final class AdminStream {
    private final AdminGate gate;
    private final Duration stallTimeout;
    private final RouterMeters meters;

    AdminStream(AdminGate gate, Duration stallTimeout, RouterMeters meters) {
        this.gate = gate;
        this.stallTimeout = stallTimeout;
        this.meters = meters;
    }

    /// Computes one response.
    @FunctionalInterface
    interface Whole<R> {
        R answer(Administration administration) throws InterruptedException;
    }

    /// Sends a stream of responses.
    @FunctionalInterface
    interface Streamed<R> {
        void send(Administration administration, Feed<R> feed) throws InterruptedException;
    }

    <R> void whole(String call, StreamObserver<R> responses, Whole<R> compute) {
        var timing = meters.begin();
        try {
            responses.onNext(compute.answer(gate.administration()));
            responses.onCompleted();
            timing.end("grpc", call, "OK");
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            responses.onError(Statuses.toStatus(new ClusterException(ErrorReason.DRAINING, "the router ends")));
            timing.end("grpc", call, ErrorReason.DRAINING.name());
        } catch (RuntimeException failure) {
            var status = Statuses.toStatus(failure);
            timing.end("grpc", call, Statuses.toException(status).reason().name());
            responses.onError(status);
        }
    }

    <R> void streamed(String call, StreamObserver<R> responses, Streamed<R> stream) {
        var feed = new CallFeed<>((ServerCallStreamObserver<R>) responses);
        Runnable answer = () -> whole(call, feed, stream);
        Thread.ofVirtual().name("grpc-admin").start(Context.current().wrap(answer));
    }

    private <R> void whole(String call, CallFeed<R> feed, Streamed<R> stream) {
        var timing = meters.begin();
        String outcome = "OK";
        try {
            stream.send(gate.administration(), feed);
            feed.complete();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            outcome = feed.fail(new ClusterException(ErrorReason.DRAINING, "the router ends"));
        } catch (RuntimeException failure) {
            outcome = feed.fail(failure);
        }
        timing.end("grpc", call, outcome);
    }

    private final class CallFeed<R> implements Feed<R> {
        private final ServerCallStreamObserver<R> call;
        private final Semaphore changed = new Semaphore(0);

        /// @param call a call whose handler has not returned yet: its callbacks are set here.
        CallFeed(ServerCallStreamObserver<R> call) {
            this.call = call;
            call.setOnReadyHandler(changed::release);
            call.setOnCancelHandler(changed::release);
        }

        @Override
        public void send(R response) {
            try {
                while (!call.isReady() && !call.isCancelled()) {
                    if (!changed.tryAcquire(stallTimeout.toMillis(), TimeUnit.MILLISECONDS)) {
                        throw new ClusterException(
                                ErrorReason.CANCELLED,
                                "the client has read nothing for " + stallTimeout.toSeconds() + " s");
                    }
                }
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
                throw new ClusterException(ErrorReason.DRAINING, "the router ends", ended);
            }
            if (!call.isCancelled()) {
                call.onNext(response);
            }
        }

        @Override
        public void keepAlive() {
            // The transport has its own pings.
        }

        @Override
        public boolean isOpen() {
            return !call.isCancelled() && gate.isOpen();
        }

        void complete() {
            if (!call.isCancelled()) {
                call.onCompleted();
            }
        }

        String fail(RuntimeException failure) {
            var status = Statuses.toStatus(failure);
            if (!call.isCancelled()) {
                call.onError(status);
            }
            return Statuses.toException(status).reason().name();
        }
    }
}
