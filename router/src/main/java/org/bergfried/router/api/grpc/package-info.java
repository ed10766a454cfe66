/// The gRPC door: `InferenceService`, health and reflection. Started by the router's main. It translates between
/// protobuf and the plain values of `router.api` and must not know workers, placement or the cluster.
@NullMarked
package org.bergfried.router.api.grpc;

import org.jspecify.annotations.NullMarked;
