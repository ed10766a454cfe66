@NullMarked
package org.bergfried.router;

import org.jspecify.annotations.NullMarked;
