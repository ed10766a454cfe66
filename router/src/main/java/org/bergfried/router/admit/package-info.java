/// Admission: how many generations run at once and how many may wait. Called by the generations before they take a
/// home. It must not know what a generation is.
@NullMarked
package org.bergfried.router.admit;

import org.jspecify.annotations.NullMarked;
