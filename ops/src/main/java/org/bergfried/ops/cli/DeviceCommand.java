package org.bergfried.ops.cli;

import picocli.CommandLine.Command;

/// What this machine can compute with.
@Command(name = "device", description = "Shows and checks what this machine can compute with.")
final class DeviceCommand extends CommandGroup {}
