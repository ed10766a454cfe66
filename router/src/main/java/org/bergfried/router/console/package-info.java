/// The admin console: pages that run in the operator's browser and speak the admin API, with the roles of their key.
///
/// Called by the HTTP door, which serves its files to anybody: they hold no data. Must not know the cluster.
@NullMarked
package org.bergfried.router.console;

import org.jspecify.annotations.NullMarked;
