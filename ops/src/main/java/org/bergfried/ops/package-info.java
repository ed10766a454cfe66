@NullMarked
package org.bergfried.ops;

import org.jspecify.annotations.NullMarked;
