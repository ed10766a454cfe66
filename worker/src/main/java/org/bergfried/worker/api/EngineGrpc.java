package org.bergfried.worker.api;

import com.google.protobuf.ByteString;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.GetExpertLoadRequest;
import org.bergfried.proto.engine.v1.GetExpertLoadResponse;
import org.bergfried.proto.engine.v1.GetLoadRequest;
import org.bergfried.proto.engine.v1.GetLoadResponse;
import org.bergfried.proto.engine.v1.GetModelCardRequest;
import org.bergfried.proto.engine.v1.GetModelCardResponse;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.worker.batch.BatchLoad;
import org.bergfried.worker.batch.Batcher;

/// EngineService: what a trunk worker offers to routers. Runs on virtual threads.
public final class EngineGrpc extends EngineServiceGrpc.EngineServiceImplBase {
    private static final int PIECE_BYTES = 256 << 10;

    private final GenerateRequests requests;
    private final Batcher batcher;
    private final ByteString card;
    private final LongSupplier placementEpoch;
    private final Supplier<GetExpertLoadResponse> expertLoad;

    /// Makes the service.
    ///
    /// @param card           the model card, serialised once.
    /// @param batcher        runs the sequences.
    /// @param placementEpoch the highest epoch that this worker has seen.
    /// @param expertLoad     the rows of each expert now; see [ExpertLoads].
    /// @param clock          for deadlines, the batcher's own.
    public EngineGrpc(
            ModelCard card,
            Batcher batcher,
            LongSupplier placementEpoch,
            Supplier<GetExpertLoadResponse> expertLoad,
            Clock clock) {
        var identity = new GenerateRequests.Identity(card.getDigest(), card.getNumericsId(), card.getVocabularySize());
        requests = new GenerateRequests(identity, clock);
        this.batcher = batcher;
        this.card = card.toByteString();
        this.placementEpoch = placementEpoch;
        this.expertLoad = expertLoad;
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
        var answer = new AnswerStream((ServerCallStreamObserver<GenerateResponse>) observer, request);
        try {
            answer.start(batcher, requests.read(request));
        } catch (ClusterException refusal) {
            observer.onError(Statuses.toStatus(refusal));
        }
    }

    @Override
    public void getModelCard(GetModelCardRequest request, StreamObserver<GetModelCardResponse> observer) {
        var call = (ServerCallStreamObserver<GetModelCardResponse>) observer;
        call.setOnReadyHandler(new CardSender(call, card));
    }

    @Override
    public void getLoad(GetLoadRequest request, StreamObserver<GetLoadResponse> observer) {
        BatchLoad load = batcher.load();
        observer.onNext(GetLoadResponse.newBuilder()
                .setQueued(load.queued())
                .setRunning(load.running())
                .setPagesTotal(load.pagesTotal())
                .setPagesFree(load.pagesFree())
                .setPlacementEpoch(placementEpoch.getAsLong())
                .build());
        observer.onCompleted();
    }

    @Override
    public void getExpertLoad(GetExpertLoadRequest request, StreamObserver<GetExpertLoadResponse> observer) {
        observer.onNext(expertLoad.get());
        observer.onCompleted();
    }

    /// Sends the pieces of a card as fast as the transport takes them. Called for one call by one thread at a time.
    private static final class CardSender implements Runnable {
        private final ServerCallStreamObserver<GetModelCardResponse> call;
        private final ByteString card;
        private int sent;

        CardSender(ServerCallStreamObserver<GetModelCardResponse> call, ByteString card) {
            this.call = call;
            this.card = card;
        }

        @Override
        public void run() {
            while (sent < card.size() && call.isReady()) {
                int end = Math.min(card.size(), sent + PIECE_BYTES);
                call.onNext(GetModelCardResponse.newBuilder()
                        .setPiece(card.substring(sent, end))
                        .build());
                sent = end;
                if (sent == card.size()) {
                    call.onCompleted();
                }
            }
        }
    }
}
