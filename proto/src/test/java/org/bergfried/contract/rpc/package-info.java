/// Tests of the mapping of errors.
@NullMarked
package org.bergfried.contract.rpc;

import org.jspecify.annotations.NullMarked;
