package org.bergfried.router.api.admin;

import java.util.Comparator;
import org.bergfried.contract.Clock;
import org.bergfried.proto.admin.v1.GetCallerRequest;
import org.bergfried.proto.admin.v1.GetCallerResponse;
import org.bergfried.proto.admin.v1.GetClusterRequest;
import org.bergfried.proto.admin.v1.GetClusterResponse;
import org.bergfried.proto.admin.v1.WatchClusterRequest;
import org.bergfried.proto.admin.v1.WatchClusterResponse;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Role;
import org.bergfried.router.placement.live.Changes;

/// The part of `ClusterService` that shows routers and workers.
public final class ClusterAdmin {
    private static final long LOOK_MILLIS = 1_000;

    private final ClusterView view;
    private final Changes looks;
    private final Clock clock;

    /// @param looks counts the rounds of questions to the workers.
    public ClusterAdmin(ClusterView view, Changes looks, Clock clock) {
        this.view = view;
        this.looks = looks;
        this.clock = clock;
    }

    /// Who calls.
    public GetCallerResponse getCaller(Caller caller, GetCallerRequest request) {
        caller.require(Role.VIEWER);
        return GetCallerResponse.newBuilder()
                .setTenant(caller.tenant())
                .addAllRoles(caller.roles().stream()
                        .sorted(Comparator.naturalOrder())
                        .map(Role::name)
                        .toList())
                .build();
    }

    /// The state of the cluster.
    public GetClusterResponse getCluster(Caller caller, GetClusterRequest request) {
        caller.require(Role.VIEWER);
        return GetClusterResponse.newBuilder()
                .setCluster(view.state(clock.nanoTime(), clock.wallMillis()))
                .build();
    }

    /// Sends the state about once a second.
    public void watchCluster(Caller caller, WatchClusterRequest request, Feed<WatchClusterResponse> feed)
            throws InterruptedException {
        caller.require(Role.VIEWER);
        long seen = looks.count();
        while (feed.isOpen()) {
            feed.send(WatchClusterResponse.newBuilder()
                    .setCluster(view.state(clock.nanoTime(), clock.wallMillis()))
                    .build());
            seen = looks.await(seen, LOOK_MILLIS);
        }
    }
}
