/// The router's meters, all in one class and documented there. Every package of the router may count here; meters
/// must not know what they are called for, and never carry a prompt, an answer or a tag per expert or generation.
@NullMarked
package org.bergfried.router.meter;

import org.jspecify.annotations.NullMarked;
