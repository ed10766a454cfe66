package org.bergfried.ops.cli;

import picocli.CommandLine.Command;

/// Where experts are and should be.
@Command(name = "placement", description = "Shows, plans and changes which worker hosts which expert.")
final class PlacementCommand extends CommandGroup {}
