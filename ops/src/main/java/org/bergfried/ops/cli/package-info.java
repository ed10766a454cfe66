/// The `bergfried` command: quickstart and what belongs to it, the chat, and the tools that show what the engine
/// does.
///
/// Started by the launcher `ops/bergfried`. The only place besides `*Main` that writes to standard output. Must not
/// know
/// how engine or router work inside: it starts them as processes and calls the very classes that serve.
@NullMarked
package org.bergfried.ops.cli;

import org.jspecify.annotations.NullMarked;
