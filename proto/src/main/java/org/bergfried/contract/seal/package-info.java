/// Encryption of what lies in shared state: values are readable and valid only for holders of the cluster's keys,
/// and only at the key where they were written. Called by `contract.cluster`, and by `ops` to make key files; it
/// knows no record.
@NullMarked
package org.bergfried.contract.seal;

import org.jspecify.annotations.NullMarked;
