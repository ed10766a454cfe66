/// What operators and users run: the `bergfried` command.
@NullMarked
package org.bergfried.ops;

import org.jspecify.annotations.NullMarked;
