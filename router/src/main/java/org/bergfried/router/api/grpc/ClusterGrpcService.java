package org.bergfried.router.api.grpc;

import io.grpc.stub.StreamObserver;
import org.bergfried.proto.admin.v1.ClusterServiceGrpc;
import org.bergfried.proto.admin.v1.DrainWorkerRequest;
import org.bergfried.proto.admin.v1.DrainWorkerResponse;
import org.bergfried.proto.admin.v1.GetCallerRequest;
import org.bergfried.proto.admin.v1.GetCallerResponse;
import org.bergfried.proto.admin.v1.GetClusterRequest;
import org.bergfried.proto.admin.v1.GetClusterResponse;
import org.bergfried.proto.admin.v1.UndrainWorkerRequest;
import org.bergfried.proto.admin.v1.UndrainWorkerResponse;
import org.bergfried.proto.admin.v1.WatchClusterRequest;
import org.bergfried.proto.admin.v1.WatchClusterResponse;
import org.bergfried.router.auth.Caller;

/// `ClusterService` over {@link org.bergfried.router.api.admin.ClusterAdmin}.
final class ClusterGrpcService extends ClusterServiceGrpc.ClusterServiceImplBase {
    private final AdminStream calls;

    ClusterGrpcService(AdminStream calls) {
        this.calls = calls;
    }

    @Override
    public void getCaller(GetCallerRequest request, StreamObserver<GetCallerResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("GetCaller", responses, admin -> admin.cluster().getCaller(caller, request));
    }

    @Override
    public void getCluster(GetClusterRequest request, StreamObserver<GetClusterResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("GetCluster", responses, admin -> admin.cluster().getCluster(caller, request));
    }

    @Override
    public void watchCluster(WatchClusterRequest request, StreamObserver<WatchClusterResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed(
                "WatchCluster", responses, (admin, feed) -> admin.cluster().watchCluster(caller, request, feed));
    }

    @Override
    public void drainWorker(DrainWorkerRequest request, StreamObserver<DrainWorkerResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.streamed("DrainWorker", responses, (admin, feed) -> admin.drains().drainWorker(caller, request, feed));
    }

    @Override
    public void undrainWorker(UndrainWorkerRequest request, StreamObserver<UndrainWorkerResponse> responses) {
        Caller caller = CallerInterceptor.current();
        calls.whole("UndrainWorker", responses, admin -> admin.drains().undrainWorker(caller, request));
    }
}
