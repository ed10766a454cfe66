package org.bergfried.worker.api;

import com.google.protobuf.ByteString;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.expert.v1.ConfirmExpertsRequest;
import org.bergfried.proto.expert.v1.ConfirmExpertsResponse;
import org.bergfried.proto.expert.v1.FetchExpertRequest;
import org.bergfried.proto.expert.v1.FetchExpertResponse;
import org.bergfried.proto.expert.v1.WeightServiceGrpc;
import org.bergfried.worker.client.WireExperts;
import org.bergfried.worker.hosting.Hosting;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.tensor.StoredPart;

/// WeightService: what a worker gives other workers of its model files and of its word. Runs on virtual threads.
public final class WeightGrpc extends WeightServiceGrpc.WeightServiceImplBase {
    private static final int PIECE_BYTES = 256 << 10;
    private static final long TURN_SECONDS = 10;

    private final Model model;
    private final Hosting hosting;
    private final Semaphore turn = new Semaphore(1); // fetches read the disk, beside which others compute

    /// Makes the service.
    public WeightGrpc(Model model, Hosting hosting) {
        this.model = model;
        this.hosting = hosting;
    }

    @Override
    public void fetchExpert(FetchExpertRequest request, StreamObserver<FetchExpertResponse> observer) {
        var call = (ServerCallStreamObserver<FetchExpertResponse>) observer;
        try {
            requireModel(request.getModelDigest());
            WireExperts.cell(hosting.facts(), request.getLayer(), request.getExpert());
            takeTurn();
            var sender = new Sender(call, model.storedExpert(request.getLayer(), request.getExpert()));
            call.setOnCancelHandler(sender::end);
            call.setOnReadyHandler(sender);
            if (call.isCancelled()) {
                sender.end();
            }
        } catch (ClusterException refusal) {
            call.onError(Statuses.toStatus(refusal));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            call.onError(Statuses.toStatus(new ClusterException(ErrorReason.DRAINING, "the worker shuts down")));
        }
    }

    @Override
    public void confirmExperts(ConfirmExpertsRequest request, StreamObserver<ConfirmExpertsResponse> observer) {
        try {
            requireModel(request.getModelDigest());
            var hot = hosting.confirm(WireExperts.read(hosting.facts(), request.getExpertsList()));
            observer.onNext(ConfirmExpertsResponse.newBuilder()
                    .addAllHot(WireExperts.write(hot))
                    .build());
            observer.onCompleted();
        } catch (ClusterException refusal) {
            observer.onError(Statuses.toStatus(refusal));
        }
    }

    private void requireModel(String digest) {
        if (!digest.equals(model.digest())) {
            throw new ClusterException(
                    ErrorReason.MODEL_NOT_FOUND,
                    "the request is for model " + digest + "; this worker has " + model.digest());
        }
    }

    private void takeTurn() throws InterruptedException {
        if (!turn.tryAcquire(TURN_SECONDS, TimeUnit.SECONDS)) {
            throw new ClusterException(
                    ErrorReason.QUEUE_FULL, "another worker fetches weights from this one; try again later");
        }
    }

    /// Sends the pieces of an expert as fast as the transport takes them. Called for one call by one thread at a
    /// time.
    private final class Sender implements Runnable {
        private final ServerCallStreamObserver<FetchExpertResponse> call;
        private final List<StoredPart> tensors;
        private final AtomicBoolean ended = new AtomicBoolean();
        private int current;
        private long sent; // bytes of the current tensor

        Sender(ServerCallStreamObserver<FetchExpertResponse> call, List<StoredPart> tensors) {
            this.call = call;
            this.tensors = tensors;
        }

        @Override
        public void run() {
            while (!ended.get() && call.isReady()) {
                if (current == tensors.size()) {
                    end();
                    call.onCompleted();
                } else {
                    call.onNext(next());
                }
            }
        }

        /// Gives the turn to the next fetch.
        void end() {
            if (!ended.getAndSet(true)) {
                turn.release();
            }
        }

        private FetchExpertResponse next() {
            StoredPart tensor = tensors.get(current);
            MemorySegment bytes = tensor.bytes();
            long count = Math.min(PIECE_BYTES, bytes.byteSize() - sent);
            var piece = FetchExpertResponse.newBuilder()
                    .setTensor(tensor.name())
                    .setOffset(sent)
                    .setPiece(ByteString.copyFrom(bytes.asSlice(sent, count).asByteBuffer()))
                    .build();
            sent += count;
            if (sent == bytes.byteSize()) {
                current++;
                sent = 0;
            }
            return piece;
        }
    }
}
