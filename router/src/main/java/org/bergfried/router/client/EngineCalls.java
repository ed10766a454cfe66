package org.bergfried.router.client;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.stream.IntStream;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.engine.v1.EngineServiceGrpc;
import org.bergfried.proto.engine.v1.FinishReason;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.GenerateResponse;
import org.bergfried.proto.engine.v1.Sampling;
import org.bergfried.router.failover.AnswerEnd;
import org.bergfried.router.failover.AttemptCalls;
import org.jspecify.annotations.Nullable;

/// Attempts over `EngineService.Generate`.
public final class EngineCalls implements AttemptCalls {
    private final EngineChannels channels;

    /// Calls over these channels.
    public EngineCalls(EngineChannels channels) {
        this.channels = channels;
    }

    @Override
    public Attempt open(
            WorkerAnnouncement home,
            GenerationRecord generation,
            int attempt,
            TokenIds known,
            long remainingMillis,
            Listener listener) {
        var stream = new AttemptStream(generation.generationId(), home.id(), listener);
        EngineServiceGrpc.newStub(channels.to(home))
                .generate(request(generation, attempt, known, remainingMillis), stream);
        return stream;
    }

    private static GenerateRequest request(
            GenerationRecord generation, int attempt, TokenIds known, long remainingMillis) {
        var sampling = generation.sampling();
        return GenerateRequest.newBuilder()
                .setGenerationId(generation.generationId())
                .setAttempt(attempt)
                .setModelDigest(generation.modelDigest())
                .setNumericsId(generation.numericsId())
                .addAllPromptIds(boxed(generation.promptIds()))
                .addAllKnownIds(boxed(known))
                .setSampling(Sampling.newBuilder()
                        .setTemperature(sampling.temperature())
                        .setTopP(sampling.topP())
                        .setTopK(sampling.topK())
                        .setMinP(sampling.minP())
                        .setSeed(sampling.seed()))
                .addAllStopIds(boxed(generation.stopIds()))
                .setMaxTokens(generation.maxTokens())
                .setDeadlineMillis(remainingMillis)
                .build();
    }

    private static Iterable<Integer> boxed(TokenIds ids) {
        return IntStream.of(ids.toArray()).boxed().toList();
    }

    /// The events of one call.
    private static final class AttemptStream
            implements ClientResponseObserver<GenerateRequest, GenerateResponse>, Attempt {
        private final String generationId;
        private final String homeId;
        private final Listener listener;
        private volatile @Nullable ClientCallStreamObserver<GenerateRequest> call;
        private volatile boolean isOver;

        AttemptStream(String generationId, String homeId, Listener listener) {
            this.generationId = generationId;
            this.homeId = homeId;
            this.listener = listener;
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<GenerateRequest> stream) {
            call = stream;
        }

        @Override
        public void cancel() {
            if (isOver) {
                return;
            }
            isOver = true;
            var running = call;
            if (running != null) {
                running.cancel("the generation does not need this attempt any more", null);
            }
        }

        @Override
        public void onNext(GenerateResponse event) {
            if (isOver || !event.getGenerationId().equals(generationId)) {
                return;
            }
            switch (event.getEventCase()) {
                case TOKEN ->
                    listener.token(
                            event.getAttempt(),
                            event.getToken().getPosition(),
                            event.getToken().getId());
                case FINISHED -> {
                    isOver = true;
                    var finished = event.getFinished();
                    boolean isStop = finished.getReason() == FinishReason.FINISH_REASON_STOP;
                    listener.ended(
                            event.getAttempt(),
                            isStop ? AnswerEnd.STOP_ID : AnswerEnd.LENGTH,
                            finished.getTokenCount());
                }
                case EVENT_NOT_SET -> {} // an event of a newer worker that does not concern tokens
            }
        }

        @Override
        public void onError(Throwable failure) {
            breakOff(Statuses.toException(failure));
        }

        @Override
        public void onCompleted() {
            breakOff(new ClusterException(ErrorReason.WORKER_LOST, "the stream ended before the answer did"));
        }

        private void breakOff(ClusterException error) {
            if (!isOver) {
                isOver = true;
                listener.broken(new ClusterException(error.reason(), "home " + homeId + ": " + error.text(), error));
            }
        }
    }
}
