@NullMarked
package org.bergfried.worker;

import org.jspecify.annotations.NullMarked;
