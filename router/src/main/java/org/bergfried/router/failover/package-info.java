/// Generations that outlive their home and their router: one generation is a request record and one attempt after
/// another at producing its tokens. The APIs call {@link org.bergfried.router.failover.Generations}. The deciding
/// class, {@link org.bergfried.router.failover.GenerationCourse}, must not know a clock, threads or the network;
/// nothing here knows gRPC, HTTP or how tokens become text.
@NullMarked
package org.bergfried.router.failover;

import org.jspecify.annotations.NullMarked;
