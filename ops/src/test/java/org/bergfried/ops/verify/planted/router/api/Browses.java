package org.bergfried.ops.verify.planted.router.api;

import io.vertx.core.VertxOptions;

/// Breaks: Vert.x outside of the HTTP interface.
public final class Browses {
    VertxOptions options = new VertxOptions();
}
