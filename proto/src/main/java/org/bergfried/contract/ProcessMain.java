package org.bergfried.contract;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What routers and workers have in common as processes: `NAME --config FILE [--parent-pipe]`.
///
/// SIGTERM ends a process after what runs, at most its `drain` later. With `--parent-pipe` it also ends, after at most
/// two seconds for what runs, when its standard input closes, so that it does not outlive the process that started it
/// for long.
///
/// | exit code | meaning |
/// | --- | --- |
/// | 0 | `--help`, or the parent's pipe closed |
/// | 1 | a bug; the log says more |
/// | 2 | wrong arguments |
/// | 3 | the configuration cannot be used: a wrong value or file, an address in use |
/// | 4 | the model cannot be served: missing, damaged, unknown, or too large for the memory |
/// | 5 | another process has taken this worker's place |
/// | 143 | ended by SIGTERM, after draining |
public final class ProcessMain {
    private static final Duration ORPHAN_DRAIN = Duration.ofSeconds(2);

    private final String name;
    private final Path configFile;
    private final boolean hasParentPipe;
    private final Logger log;
    private final AtomicBoolean orphaned = new AtomicBoolean();

    /// What is started.
    public interface Service extends AutoCloseable {
        /// Takes nothing new and waits for what runs.
        ///
        /// @param longest what that may take.
        void drain(Duration longest) throws InterruptedException;

        @Override
        void close();
    }

    /// Starts the process's own part.
    public interface Starter {
        /// Reads the configuration, makes the service, hands it to [ProcessMain#endWith], and lets it begin.
        void start(ProcessMain process) throws IOException;
    }

    private ProcessMain(String name, Path configFile, boolean hasParentPipe) {
        this.name = name;
        this.configFile = configFile;
        this.hasParentPipe = hasParentPipe;
        this.log = LoggerFactory.getLogger(name);
    }

    /// Runs a process: returns when it is started, and ends it where that fails.
    ///
    /// @param name what usage and logs call it.
    /// @param logging the logback configuration, unless the JVM's options name another.
    public static void run(String name, String logging, String[] arguments, Starter starter) {
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", logging);
        }
        String usage = "usage: " + name + " --config FILE [--parent-pipe]";
        Path file = null;
        boolean hasParentPipe = false;
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--config" -> file = i + 1 < arguments.length ? Path.of(arguments[++i]) : null;
                case "--parent-pipe" -> hasParentPipe = true;
                case "--help" -> {
                    System.out.println(usage);
                    return;
                }
                default -> exit(2, "unknown argument " + arguments[i] + "; " + usage);
            }
        }
        if (file == null) {
            exit(2, "--config is missing; " + usage);
        } else {
            new ProcessMain(name, file, hasParentPipe).start(starter);
        }
    }

    /// Reads the configuration and logs what is in effect.
    public <T extends Record> T configuration(Class<T> type) {
        T config = ConfigLoader.load(type, configFile, System.getenv());
        log.info("Effective configuration:\n{}", ConfigLoader.render(config));
        return config;
    }

    /// From now on the end of the process drains and closes the service first.
    ///
    /// @param drain how long what runs may go on after SIGTERM.
    public void endWith(Service service, Duration drain) {
        Duration orphanDrain = drain.compareTo(ORPHAN_DRAIN) < 0 ? drain : ORPHAN_DRAIN;
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> end(service, orphaned.get() ? orphanDrain : drain), "shutdown"));
        if (hasParentPipe) {
            endWithParent(System.in);
        }
    }

    /// Ends the process because of a bug in one of its threads.
    public void bug(Throwable bug) {
        log.error("A thread ended because of a bug", bug);
        exitSoon(1);
    }

    /// Ends the process because another one has taken its place.
    public void replaced(ClusterException why) {
        log.error("{}", why.text());
        exitSoon(5);
    }

    private void start(Starter starter) {
        try {
            starter.start(this);
        } catch (Throwable failure) {
            @Nullable Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            switch (cause == null ? failure : cause) {
                case ConfigException refused -> exit(3, String.valueOf(refused.getMessage()));
                case IOException refused -> exit(3, String.valueOf(refused.getMessage()));
                case ClusterException refused -> exit(4, refused.reason() + ": " + refused.text());
                case Throwable bug -> {
                    log.error("{} cannot run because of a bug", name, bug);
                    exit(1, name + " cannot run because of a bug: " + bug);
                }
            }
        }
    }

    private void end(Service service, Duration longest) {
        try {
            log.info("Draining for at most {} s", longest.toSeconds());
            service.drain(longest);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            service.close();
            log.info("Ended");
        }
    }

    private void endWithParent(InputStream pipe) {
        Thread.ofPlatform().daemon().name("parent-pipe").start(() -> {
            try {
                while (pipe.read() >= 0) {
                    // what the parent writes is of no interest
                }
            } catch (IOException closed) {
                log.debug("The parent's pipe broke", closed);
            }
            orphaned.set(true);
            System.exit(0);
        });
    }

    /// On a thread of its own, because the shutdown waits for the threads that call.
    private static void exitSoon(int code) {
        Thread.ofPlatform().name("exit").start(() -> System.exit(code));
    }

    private static void exit(int code, String message) {
        System.err.println(message);
        System.exit(code);
    }
}
