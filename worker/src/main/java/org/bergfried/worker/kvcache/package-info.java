/// The paged cache of keys and values, float32, 32 positions a page.
///
/// Called by trunk and batch. Must not know models, files or the network.
@NullMarked
package org.bergfried.worker.kvcache;

import org.jspecify.annotations.NullMarked;
