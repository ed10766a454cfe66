/// What both doors of the router share: calls in plain values, and the answer as a stream of events. Called by
/// `api.grpc` and `api.http`, which translate between this and their wire. It must not know gRPC, HTTP or JSON.
@NullMarked
package org.bergfried.router.api;

import org.jspecify.annotations.NullMarked;
