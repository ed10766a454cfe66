package org.bergfried.ops.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.DoubleSupplier;

/// The same engine beside a process that is busy all the time.
final class BusySubject implements Subject {
    private final Subject engine;

    /// @param engine stays its owner's.
    BusySubject(Subject engine) {
        this.engine = engine;
    }

    /// The engine alone.
    Subject undisturbed() {
        return engine;
    }

    @Override
    public String name() {
        return engine.name() + " beside a busy process";
    }

    @Override
    public String description() {
        return engine.description() + "; beside one busy process";
    }

    @Override
    public double loadSeconds() {
        return engine.loadSeconds();
    }

    @Override
    public long residentBytes() {
        return engine.residentBytes();
    }

    @Override
    public double prefillRate(int tokens) {
        return disturbed(() -> engine.prefillRate(tokens));
    }

    @Override
    public double decodeRate(int streams, int tokens) {
        return disturbed(() -> engine.decodeRate(streams, tokens));
    }

    private static double disturbed(DoubleSupplier measure) {
        Process busy;
        try {
            busy = new ProcessBuilder("sh", "-c", "while kill -0 \"$1\"; do :; done", "sh", pid())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start(); // ends with this process, however that ends
        } catch (IOException missing) {
            throw new UncheckedIOException("no busy process can be started", missing);
        }
        try {
            return measure.getAsDouble();
        } finally {
            busy.destroyForcibly();
        }
    }

    private static String pid() {
        return Long.toString(ProcessHandle.current().pid());
    }

    @Override
    public void close() {
        engine.close();
    }
}
