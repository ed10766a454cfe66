/// Who calls: API keys from a file, and what their holders may do. Called by both APIs before anything else. It
/// must not know HTTP or gRPC; it sees the value of the Authorization header and nothing more.
@NullMarked
package org.bergfried.router.auth;

import org.jspecify.annotations.NullMarked;
