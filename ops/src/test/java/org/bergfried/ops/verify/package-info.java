/// Tests of the whole: what no compiler checks about the sources and their boundaries, and the product from
/// outside. Run by the build; nothing depends on it.
@NullMarked
package org.bergfried.ops.verify;

import org.jspecify.annotations.NullMarked;
