/// Tests of the benchmark's own logic; no test here asserts a speed.
@NullMarked
package org.bergfried.ops.bench;

import org.jspecify.annotations.NullMarked;
