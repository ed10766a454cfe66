/// The HTTP door: OpenAI's chat completions, models, the admin API, health and metrics, on Vert.x. Started by the
/// router's main. It
/// translates between JSON and the plain values of `router.api` and must not know workers, placement or the cluster.
@NullMarked
package org.bergfried.router.api.http;

import org.jspecify.annotations.NullMarked;
