/// Live changes of a placement: what hosts say of themselves, the load of experts over time, and the carrying out of
/// plans without disturbing answers. Called by the admin API and by the router's main; it reaches workers only
/// through {@link org.bergfried.router.placement.live.Hosts}. It must not know gRPC, HTTP or who may call.
@NullMarked
package org.bergfried.router.placement.live;

import org.jspecify.annotations.NullMarked;
