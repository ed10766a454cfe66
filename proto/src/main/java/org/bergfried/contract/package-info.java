@NullMarked
package org.bergfried.contract;

import org.jspecify.annotations.NullMarked;
