/// The one place that builds gRPC channels and servers, so that each hop is encrypted and knows its peer. Called
/// by the `Main` of every process and by `api` and `client` packages; it knows nothing of what travels over its
/// channels.
@NullMarked
package org.bergfried.contract.tls;

import org.jspecify.annotations.NullMarked;
