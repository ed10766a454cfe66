package org.bergfried.worker.api;

import io.grpc.stub.ServerCallStreamObserver;
import org.bergfried.contract.ClusterException;
import org.bergfried.proto.expert.v1.InstallResponse;
import org.bergfried.proto.expert.v1.InstallState;
import org.bergfried.worker.expert.InstallListener;
import org.bergfried.worker.hosting.Hosting;

/// Tells a router how far an installation is. Called by one thread at a time. It never waits for a router that does
/// not
/// read: an expert makes two or three messages of some bytes.
final class InstallProgress implements InstallListener {
    private final ServerCallStreamObserver<InstallResponse> call;
    private final Hosting hosting;
    private final int total;
    private int done;

    InstallProgress(ServerCallStreamObserver<InstallResponse> call, Hosting hosting, int total) {
        this.call = call;
        this.hosting = hosting;
        this.total = total;
    }

    @Override
    public void loading(int layer, int expert) {
        send(layer, expert, InstallState.INSTALL_STATE_LOADING, "", "");
    }

    @Override
    public void fetching(int layer, int expert, String sourceId) {
        send(layer, expert, InstallState.INSTALL_STATE_FETCHING, "", sourceId);
    }

    @Override
    public void installed(int layer, int expert) {
        done++;
        send(layer, expert, InstallState.INSTALL_STATE_INSTALLED, "", "");
    }

    @Override
    public void failed(int layer, int expert, ClusterException why) {
        done++;
        send(layer, expert, InstallState.INSTALL_STATE_FAILED, why.reason().name(), why.text());
    }

    void end() {
        if (!call.isCancelled()) {
            call.onCompleted();
        }
    }

    private void send(int layer, int expert, InstallState state, String reason, String message) {
        if (call.isCancelled()) {
            return;
        }
        call.onNext(InstallResponse.newBuilder()
                .setLayer(layer)
                .setExpert(expert)
                .setState(state)
                .setReason(reason)
                .setMessage(message)
                .setBytes(hosting.bytesPerExpert(layer))
                .setDone(done)
                .setTotal(total)
                .build());
    }
}
