/// Tests of the cluster's shared state.
@NullMarked
package org.bergfried.contract.cluster;

import org.jspecify.annotations.NullMarked;
