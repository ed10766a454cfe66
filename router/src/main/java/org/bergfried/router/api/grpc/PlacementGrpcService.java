package org.bergfried.router.api.grpc;

import io.grpc.stub.StreamObserver;
import org.bergfried.proto.admin.v1.GetExpertLoadRequest;
import org.bergfried.proto.admin.v1.GetExpertLoadResponse;
import org.bergfried.proto.admin.v1.GetPlacementRequest;
import org.bergfried.proto.admin.v1.GetPlacementResponse;
import org.bergfried.proto.admin.v1.PlacementServiceGrpc;
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
}
