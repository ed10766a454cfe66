package org.bergfried.ops.cli;

import picocli.CommandLine.Command;

/// Tools that show what the engine does with a model, on the code paths of serving.
@Command(name = "model", description = "Shows what the engine does with a model, on the code paths of serving.")
final class ModelCommand extends CommandGroup {}
