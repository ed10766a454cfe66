package org.bergfried.ops.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.bergfried.worker.tool.SpeedRun;

/// The engine in this process.
final class EngineSubject implements Subject {
    private final SpeedRun run;
    private final String name;

    /// @param backend for the table.
    EngineSubject(SpeedRun run, String backend) {
        this.run = run;
        name = "bergfried, backend " + backend;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return run.description();
    }

    @Override
    public double loadSeconds() {
        return run.loadSeconds();
    }

    @Override
    public long residentBytes() {
        try {
            return ResidentMemory.bytes("self");
        } catch (IOException notLinux) {
            throw new UncheckedIOException("the resident memory cannot be read from /proc/self/status", notLinux);
        }
    }

    @Override
    public double prefillRate(int tokens) {
        return tokens / run.firstTokenSeconds(tokens);
    }

    @Override
    public double decodeRate(int streams, int tokens) {
        return run.decodeRate(streams, tokens);
    }

    @Override
    public void close() {
        run.close();
    }
}
