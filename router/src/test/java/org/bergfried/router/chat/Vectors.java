package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// Third-party test data, which is not part of the project: the folder that the system property `bergfried.vectors`
/// names.
final class Vectors {
    private Vectors() {}

    /// A folder of the test data; the test is skipped where there is none.
    static Path folder(String name) {
        Path folder = Path.of(System.getProperty("bergfried.vectors", "vectors"), name);
        assumeTrue(Files.isDirectory(folder), "no folder " + folder + ": set -Dbergfried.vectors to run this test");
        return folder;
    }
}
