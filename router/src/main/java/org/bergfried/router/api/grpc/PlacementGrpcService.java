package org.bergfried.router.api.grpc;

import io.grpc.stub.StreamObserver;
import org.bergfried.proto.admin.v1.ApplyRequest;
import org.bergfried.proto.admin.v1.ApplyResponse;
import org.bergfried.proto.admin.v1.BanRequest;
import org.bergfried.proto.admin.v1.BanResponse;
import org.bergfried.proto.admin.v1.EvictRequest;
import org.bergfried.proto.admin.v1.EvictResponse;
import org.bergfried.proto.admin.v1.GetExpertLoadRequest;
import org.bergfried.proto.admin.v1.GetExpertLoadResponse;
import org.bergfried.proto.admin.v1.GetPlacementRequest;
import org.bergfried.proto.admin.v1.GetPlacementResponse;
import org.bergfried.proto.admin.v1.MoveRequest;
import org.bergfried.proto.admin.v1.MoveResponse;
import org.bergfried.proto.admin.v1.PinRequest;
import org.bergfried.proto.admin.v1.PinResponse;
import org.bergfried.proto.admin.v1.PlacementServiceGrpc;
import org.bergfried.proto.admin.v1.PlanRequest;
import org.bergfried.proto.admin.v1.PlanResponse;
import org.bergfried.proto.admin.v1.ReplicateRequest;
import org.bergfried.proto.admin.v1.ReplicateResponse;
import org.bergfried.proto.admin.v1.UnbanRequest;
import org.bergfried.proto.admin.v1.UnbanResponse;
import org.bergfried.proto.admin.v1.UnpinRequest;
import org.bergfried.proto.admin.v1.UnpinResponse;
import org.bergfried.proto.admin.v1.WatchPlacementRequest;
import org.bergfried.proto.admin.v1.WatchPlacementResponse;
import org.bergfried.router.auth.Caller;

/// `PlacementService` over {@link org.bergfried.router.api.admin.PlacementAdmin}.
final class PlacementGrpcService extends PlacementServiceGrpc.PlacementServiceImplBase {
    private final AdminStream calls;

    PlacementGrpcService(AdminStream calls) {
        this.calls = calls;
    }

    @Override
    public void getPlacement(GetPlacementRequest request, StreamObserver<GetPlacementResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("GetPlacement", responses, admin -> admin.placement().getPlacement(caller, request));
    }

    @Override
    public void getExpertLoad(GetExpertLoadRequest request, StreamObserver<GetExpertLoadResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("GetExpertLoad", responses, admin -> admin.placement().getExpertLoad(caller, request));
    }

    @Override
    public void watchPlacement(WatchPlacementRequest request, StreamObserver<WatchPlacementResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed(
                "WatchPlacement", responses, (admin, feed) -> admin.placement().watchPlacement(caller, request, feed));
    }

    @Override
    public void plan(PlanRequest request, StreamObserver<PlanResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("Plan", responses, admin -> admin.moves().plan(caller, request));
    }

    @Override
    public void apply(ApplyRequest request, StreamObserver<ApplyResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed("Apply", responses, (admin, feed) -> admin.moves().apply(caller, request, feed));
    }

    @Override
    public void move(MoveRequest request, StreamObserver<MoveResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed("Move", responses, (admin, feed) -> admin.moves().move(caller, request, feed));
    }

    @Override
    public void replicate(ReplicateRequest request, StreamObserver<ReplicateResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed("Replicate", responses, (admin, feed) -> admin.moves().replicate(caller, request, feed));
    }

    @Override
    public void evict(EvictRequest request, StreamObserver<EvictResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed("Evict", responses, (admin, feed) -> admin.moves().evict(caller, request, feed));
    }

    @Override
    public void pin(PinRequest request, StreamObserver<PinResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("Pin", responses, admin -> admin.rules().pin(caller, request));
    }

    @Override
    public void unpin(UnpinRequest request, StreamObserver<UnpinResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("Unpin", responses, admin -> admin.rules().unpin(caller, request));
    }

    @Override
    public void ban(BanRequest request, StreamObserver<BanResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("Ban", responses, admin -> admin.rules().ban(caller, request));
    }

    @Override
    public void unban(UnbanRequest request, StreamObserver<UnbanResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("Unban", responses, admin -> admin.rules().unban(caller, request));
    }
}
