/// Compares a backend with the scalar one, operation by operation and bit for bit, on generated shapes and data.
///
/// Called by tests and by the tool that checks a device. Must not know any particular backend.
@NullMarked
package org.bergfried.worker.kernel.check;

import org.jspecify.annotations.NullMarked;
