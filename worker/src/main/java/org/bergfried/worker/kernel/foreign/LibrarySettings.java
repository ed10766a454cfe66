package org.bergfried.worker.kernel.foreign;

import java.nio.file.Path;

/// Where the library of kernels comes from: from a compiler of this machine, or else as it is checked in. Both are
/// built from the same sources with the same options, and compute the same bits.
///
/// @param build     whether a compiler may be asked.
/// @param directory keeps what was built, for all processes of this user.
public record LibrarySettings(Build build, Path directory) {
    /// When the library is built here.
    public enum Build {
        /// At the first start with these sources, if there is a `cc`.
        AUTO,
        /// Never, but what another process has built is taken.
        FOUND,
        /// Never: the checked-in library is taken.
        NEVER
    }

    /// The checked-in library.
    public static LibrarySettings shipped() {
        return new LibrarySettings(Build.NEVER, defaultDirectory());
    }

    /// What a worker of this user has built, else the checked-in library.
    public static LibrarySettings found() {
        return new LibrarySettings(Build.FOUND, defaultDirectory());
    }

    /// `.cache/bergfried/kernels` in the user's home; for a user without one, `data/kernels`.
    public static Path defaultDirectory() {
        Path home = Path.of(System.getProperty("user.home", ""));
        return home.isAbsolute() ? home.resolve(Path.of(".cache", "bergfried", "kernels")) : Path.of("data", "kernels");
    }
}
