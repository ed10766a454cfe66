/// Tests of the contract, and the hand-written fakes that they use.
@NullMarked
package org.bergfried.contract;

import org.jspecify.annotations.NullMarked;
