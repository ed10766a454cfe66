package org.bergfried.worker.api;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.batch.FinishReason;
import org.bergfried.worker.batch.SequenceListener;
import org.bergfried.worker.batch.SequenceRequest;
import org.jspecify.annotations.Nullable;

/// The events of one attempt on their way to the router. It waits while the transport has enough to send, so that a
/// router that does not read holds up its own sequence and no memory.
final class AnswerStream implements SequenceListener {
    private final ServerCallStreamObserver<GenerateResponse> call;
    private final String generationId;
    private final int attempt;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Batcher.@Nullable Handle sequence; // guarded by lock

    AnswerStream(ServerCallStreamObserver<GenerateResponse> call, GenerateRequest request) {
        this.call = call;
        generationId = request.getGenerationId();
        attempt = request.getAttempt();
        call.setOnReadyHandler(this::signal);
        call.setOnCancelHandler(this::cancelled);
    }

    void start(Batcher batcher, SequenceRequest request) {
        Batcher.Handle handle = batcher.submit(request, this);
        lock.lock();
        try {
            sequence = handle;
        } finally {
            lock.unlock();
        }
        if (call.isCancelled()) {
            handle.cancel();
        }
    }

    @Override
    public void token(int position, int id) throws InterruptedException {
        awaitReady();
        call.onNext(event().setToken(GenerateResponse.Token.newBuilder()
                        .setPosition(position)
                        .setId(id))
                .build());
    }

    @Override
    public void finished(FinishReason reason, int tokenCount) {
        var finished =
                GenerateResponse.Finished.newBuilder().setTokenCount(tokenCount).setReason(wire(reason));
        call.onNext(event().setFinished(finished).build());
        if (!call.isCancelled()) {
            call.onCompleted();
        }
    }

    @Override
    public void failed(ClusterException error) {
        if (!call.isCancelled()) {
            call.onError(Statuses.toStatus(error));
        }
    }

    private GenerateResponse.Builder event() {
        return GenerateResponse.newBuilder().setGenerationId(generationId).setAttempt(attempt);
    }

    private static org.bergfried.proto.engine.v1.FinishReason wire(FinishReason reason) {
        return switch (reason) {
            case STOP -> org.bergfried.proto.engine.v1.FinishReason.FINISH_REASON_STOP;
            case LENGTH -> org.bergfried.proto.engine.v1.FinishReason.FINISH_REASON_LENGTH;
        };
    }

    private void awaitReady() throws InterruptedException {
        lock.lock();
        try {
            while (!call.isReady() && !call.isCancelled()) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    private void signal() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void cancelled() {
        lock.lock();
        try {
            if (sequence != null) {
                sequence.cancel();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
