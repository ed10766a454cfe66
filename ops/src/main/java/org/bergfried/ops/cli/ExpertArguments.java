package org.bergfried.ops.cli;

import picocli.CommandLine.Option;

/// An expert, and why it is to be changed.
final class ExpertArguments {
    @Option(names = "--layer", required = true, paramLabel = "L", description = "Index of the layer in the model.")
    private int layer;

    @Option(names = "--expert", required = true, paramLabel = "E", description = "The logical expert, from 0.")
    private int expert;

    @Option(names = "--reason", required = true, paramLabel = "WHY", description = "Why; written to the audit log.")
    private String reason = "";

    int layer() {
        return layer;
    }

    int expert() {
        return expert;
    }

    String reason() {
        return reason;
    }
}
