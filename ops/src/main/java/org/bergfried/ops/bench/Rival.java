package org.bergfried.ops.bench;

import java.nio.file.Path;

/// What is measured in alternation with the engine, for the ratio of the two.
public sealed interface Rival {
    /// Nothing.
    record Nobody() implements Rival {}

    /// A prebuilt llama.cpp.
    ///
    /// @param script  what drives it.
    /// @param modules the folder with `node_modules`.
    record Peer(Path script, Path modules) implements Rival {}

    /// The engine with another backend.
    record Backend(String name) implements Rival {}

    /// The engine alone, while what is measured is the engine beside a busy process.
    record Undisturbed() implements Rival {}

    /// A cluster of one worker process.
    record OneWorker() implements Rival {}
}
