package org.bergfried.ops.cli;

import picocli.CommandLine.Command;

/// Routers and workers of a running cluster.
@Command(name = "cluster", description = "Shows routers and workers of a running cluster, and drains workers.")
final class ClusterCommand extends CommandGroup {}
