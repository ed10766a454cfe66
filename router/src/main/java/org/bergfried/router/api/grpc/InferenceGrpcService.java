package org.bergfried.router.api.grpc;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bergfried.contract.rpc.Statuses;
import org.bergfried.proto.inference.v1.AnswerEvent;
import org.bergfried.proto.inference.v1.ChatRequest;
import org.bergfried.proto.inference.v1.ChatResponse;
import org.bergfried.proto.inference.v1.GenerateRequest;
import org.bergfried.proto.inference.v1.GenerateResponse;
import org.bergfried.proto.inference.v1.InferenceServiceGrpc;
import org.bergfried.proto.inference.v1.ListModelsRequest;
import org.bergfried.proto.inference.v1.ListModelsResponse;
import org.bergfried.proto.inference.v1.ResumeRequest;
import org.bergfried.proto.inference.v1.ResumeResponse;
import org.bergfried.proto.inference.v1.TokenizeRequest;
import org.bergfried.proto.inference.v1.TokenizeResponse;
import org.bergfried.router.api.Answer;
import org.bergfried.router.api.Inference;
import org.bergfried.router.api.InferenceGate;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.meter.RouterMeters;

/// `InferenceService` over {@link Inference}.
final class InferenceGrpcService extends InferenceServiceGrpc.InferenceServiceImplBase {
    private final InferenceGate gate;
    private final Duration stallTimeout;
    private final RouterMeters meters;

    InferenceGrpcService(InferenceGate gate, Duration stallTimeout, RouterMeters meters) {
        this.gate = gate;
        this.stallTimeout = stallTimeout;
        this.meters = meters;
    }

    @Override
    public void chat(ChatRequest request, StreamObserver<ChatResponse> responses) {
        Caller caller = CallerInterceptor.current();
        stream(
                "Chat",
                responses,
                event -> ChatResponse.newBuilder().setEvent(event).build(),
                () -> gate.inference().chat(caller, Wire.chat(request), true, timeout()));
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
        Caller caller = CallerInterceptor.current();
        stream(
                "Generate",
                responses,
                event -> GenerateResponse.newBuilder().setEvent(event).build(),
                () -> gate.inference().generate(caller, Wire.text(request), timeout()));
    }

    @Override
    public void resume(ResumeRequest request, StreamObserver<ResumeResponse> responses) {
        Caller caller = CallerInterceptor.current();
        OptionalInt after =
                request.hasAfterPosition() ? OptionalInt.of(request.getAfterPosition()) : OptionalInt.empty();
        stream(
                "Resume",
                responses,
                event -> ResumeResponse.newBuilder().setEvent(event).build(),
                () -> gate.inference().resume(caller, request.getGenerationId(), after, timeout()));
    }

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> responses) {
        Caller caller = CallerInterceptor.current();
        answer(
                "Tokenize",
                responses,
                inference -> TokenizeResponse.newBuilder()
                        .addAllIds(IntStream.of(inference.tokenize(caller, request.getModel(), request.getText()))
                                .boxed()
                                .toList())
                        .build());
    }

    @Override
    public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> responses) {
        Caller caller = CallerInterceptor.current();
        answer(
                "ListModels",
                responses,
                inference -> ListModelsResponse.newBuilder()
                        .addAllModels(inference.models(caller).stream()
                                .map(Wire::model)
                                .toList())
                        .build());
    }

    private <A> void stream(
            String call, StreamObserver<A> responses, Function<AnswerEvent, A> wrap, Supplier<Answer> start) {
        var observer = (ServerCallStreamObserver<A>) responses;
        var timing = meters.begin();
        new EventStream<>(observer, wrap, stallTimeout).run(start, status -> timing.end("grpc", call, status));
    }

    private <A> void answer(String call, StreamObserver<A> responses, Function<Inference, A> compute) {
        var timing = meters.begin();
        try {
            responses.onNext(compute.apply(gate.inference()));
            responses.onCompleted();
            timing.end("grpc", call, "OK");
        } catch (RuntimeException failure) {
            var status = Statuses.toStatus(failure);
            timing.end("grpc", call, Statuses.toException(status).reason().name());
            responses.onError(status);
        }
    }

    private static Optional<Duration> timeout() {
        Deadline deadline = Context.current().getDeadline();
        return deadline == null
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    }
}
