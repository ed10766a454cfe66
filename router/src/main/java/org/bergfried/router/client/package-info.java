/// The router's calls to workers: attempts at generations, model cards, health. The only package of the router that
/// calls over gRPC; failover and the APIs use what it offers and never see a stub. It must not know HTTP, nor how
/// a home is chosen.
@NullMarked
package org.bergfried.router.client;

import org.jspecify.annotations.NullMarked;
