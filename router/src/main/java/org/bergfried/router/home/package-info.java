/// The choice of the home worker of a generation. Called by the APIs' shared part when a generation needs a home.
/// It must not know clocks, the network, or what a prompt says.
@NullMarked
package org.bergfried.router.home;

import org.jspecify.annotations.NullMarked;
