package org.bergfried.contract.cluster;

/// The kinds of records in shared state and the version in which each is written. A reader takes this version and
/// the one before, so that a cluster can be upgraded member by member.
enum RecordKind {
    WORKER(1, 1, "worker announcement"),
    PLACEMENT(2, 1, "placement"),
    GENERATION(3, 1, "generation record"),
    LOG_SEGMENT(4, 1, "segment of a token log"),
    GENERATION_END(5, 1, "end of a generation"),
    RULES(6, 1, "placement rules");

    private final int code;
    private final int version;
    private final String label;

    RecordKind(int code, int version, String label) {
        this.code = code;
        this.version = version;
        this.label = label;
    }

    int code() {
        return code;
    }

    int version() {
        return version;
    }

    String label() {
        return label;
    }

    boolean canRead(int writtenVersion) {
        return writtenVersion >= Math.max(1, version - 1) && writtenVersion <= version;
    }
}
