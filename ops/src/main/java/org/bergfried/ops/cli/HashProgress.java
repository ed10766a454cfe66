package org.bergfried.ops.cli;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import org.bergfried.contract.Clock;
import org.bergfried.worker.model.FileCheck;

/// Shows how far the hashing of a model is: a bar that moves on a terminal, else a line for each file and every ten
/// seconds.
final class HashProgress implements FileCheck.Progress, AutoCloseable {
    private static final long BAR_NANOS = 100_000_000;
    private static final long LINE_NANOS = 10_000_000_000L;
    private static final int BAR_CHARS = 30;

    private final PrintStream out;
    private final Clock clock;
    private final boolean terminal;
    private long bytes;
    private long read;
    private long beganNanos;
    private long shownNanos;
    private boolean drawn;

    /// @param terminal whether what is printed may be overwritten.
    HashProgress(PrintStream out, Clock clock, boolean terminal) {
        this.out = out;
        this.clock = clock;
        this.terminal = terminal;
    }

    /// For a command that a person or a script started.
    @SuppressWarnings(
            "SystemConsoleNull") // it does return null without a terminal where the console of java.base is used
    static HashProgress of(Surroundings surroundings) {
        Console console = System.console();
        return new HashProgress(surroundings.err(), surroundings.clock(), console != null && console.isTerminal());
    }

    @Override
    public void begin(int files, long totalBytes) {
        bytes = totalBytes;
        beganNanos = clock.nanoTime();
        shownNanos = beganNanos;
        if (!terminal) {
            out.println("reading " + files + " files, " + size(totalBytes));
        }
    }

    @Override
    public void read(String file, long count) {
        read += count;
        if (clock.nanoTime() - shownNanos >= (terminal ? BAR_NANOS : LINE_NANOS)) {
            show(file);
        }
    }

    @Override
    public void done(String file, FileCheck.Verdict verdict) {
        if (!terminal) {
            out.println(verdict.name().toLowerCase(Locale.ROOT) + " " + file);
        }
    }

    @Override
    public void beginModelDigest() {
        out.print((terminal ? "\r\u001b[K" : "") + "computing the digest of the model" + (terminal ? "" : "\n"));
        out.flush();
        drawn = terminal;
    }

    private void show(String file) {
        shownNanos = clock.nanoTime();
        long percent = bytes == 0 ? 100 : Math.min(100, 100 * read / bytes);
        String state = "%3d %%  %s of %s  %.0f MB/s  %s"
                .formatted(percent, size(read), size(bytes), 1e3 * read / (shownNanos - beganNanos), file);
        if (terminal) {
            int full = (int) (BAR_CHARS * percent / 100);
            out.print("\r[" + "#".repeat(full) + " ".repeat(BAR_CHARS - full) + "] " + state + "\u001b[K");
            out.flush();
            drawn = true;
        } else {
            out.println(state);
        }
    }

    private static String size(long size) {
        return size < 1L << 30
                ? "%.1f MiB".formatted(size / (double) (1L << 20))
                : "%.2f GiB".formatted(size / (double) (1L << 30));
    }

    /// Takes the bar away.
    @Override
    public void close() {
        if (drawn) {
            out.print("\r\u001b[K");
            out.flush();
        }
    }
}
