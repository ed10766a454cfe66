/// The one place where errors cross the wire: {@link org.bergfried.contract.ClusterException} to gRPC status and
/// back. Called by `api` and `client` packages; it knows no service.
@NullMarked
package org.bergfried.contract.rpc;

import org.jspecify.annotations.NullMarked;
