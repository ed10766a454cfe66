/// Tests of channels with certificates made at run time.
@NullMarked
package org.bergfried.contract.tls;

import org.jspecify.annotations.NullMarked;
