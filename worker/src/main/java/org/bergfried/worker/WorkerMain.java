package org.bergfried.worker;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.HazelcastCluster;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The worker process: `WorkerMain --config FILE [--parent-pipe]`.
///
/// SIGTERM ends it after the running sequences, at most `drain` later. With `--parent-pipe` it also ends, within two
/// seconds, when its standard input closes, so that it does not outlive the process that started it.
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
///
/// The JVM's options are listed in the resource `jvm.options`.
public final class WorkerMain {
    private static final String USAGE = "usage: WorkerMain --config FILE [--parent-pipe]";
    private static final Duration ORPHAN_DRAIN = Duration.ofSeconds(2);

    private WorkerMain() {}

    /// Runs the process.
    public static void main(String[] args) {
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "worker-logback.xml");
        }
        Path file = null;
        boolean hasParentPipe = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--config" -> file = i + 1 < args.length ? Path.of(args[++i]) : null;
                case "--parent-pipe" -> hasParentPipe = true;
                case "--help" -> {
                    System.out.println(USAGE);
                    return;
                }
                default -> exit(2, "unknown argument " + args[i] + "; " + USAGE);
            }
        }
        if (file == null) {
            exit(2, "--config is missing; " + USAGE);
        } else {
            run(file, hasParentPipe);
        }
    }

    private static void run(Path file, boolean hasParentPipe) {
        Logger log = LoggerFactory.getLogger(WorkerMain.class);
        try {
            start(file, hasParentPipe, log);
        } catch (Throwable failure) {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            switch (cause) {
                case ConfigException refused -> exit(3, String.valueOf(refused.getMessage()));
                case ClusterException refused -> exit(4, refused.reason() + ": " + refused.text());
                default -> {
                    log.error("The worker cannot run because of a bug", cause);
                    exit(1, "the worker cannot run because of a bug: " + cause);
                }
            }
        }
    }

    private static void start(Path file, boolean hasParentPipe, Logger log) {
        WorkerConfig config = ConfigLoader.load(WorkerConfig.class, file, System.getenv());
        log.info("Effective configuration:\n{}", ConfigLoader.render(config));
        var clock = new SystemClock();
        var orphaned = new AtomicBoolean();
        var sealer = new Sealer(SealKeys.read(config.sealKeyFile()), new SecureRandom());
        var exits = new Exits(log);
        Thread.setDefaultUncaughtExceptionHandler((thread, bug) -> exits.bug(bug));
        var worker = new Worker(config, clock.wallMillis(), clock, exits);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> end(worker, orphaned.get() ? shorter(config.drain(), ORPHAN_DRAIN) : config.drain(), log),
                        "shutdown"));
        if (hasParentPipe) {
            endWithParent(System.in, orphaned);
        }
        var joined = new CompletableFuture<Cluster>();
        Thread.ofPlatform().daemon().name("join").start(() -> {
            try {
                joined.complete(HazelcastCluster.start(config.cluster(), MemberRole.WORKER, sealer, clock));
            } catch (Throwable failure) {
                joined.completeExceptionally(failure);
            }
        });
        worker.start(joined);
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private static void end(Worker worker, Duration longest, Logger log) {
        try {
            log.info("Draining for at most {} s", longest.toSeconds());
            worker.drain(longest);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            worker.close();
            log.info("Ended");
        }
    }

    private static void endWithParent(InputStream pipe, AtomicBoolean orphaned) {
        Thread.ofPlatform().daemon().name("parent-pipe").start(() -> {
            try {
                while (pipe.read() >= 0) {
                    // what the parent writes is of no interest
                }
            } catch (IOException closed) {
                LoggerFactory.getLogger(WorkerMain.class).debug("The parent's pipe broke", closed);
            }
            orphaned.set(true);
            System.exit(0);
        });
    }

    private static void exit(int code, String message) {
        System.err.println(message);
        System.exit(code);
    }

    private record Exits(Logger log) implements Worker.Fatal {
        @Override
        public void bug(Throwable bug) {
            log.error("A thread ended because of a bug", bug);
            exitSoon(1);
        }

        @Override
        public void replaced(ClusterException why) {
            log.error("{}", why.text());
            exitSoon(5);
        }

        /// On a thread of its own, because the shutdown waits for the threads that call.
        private static void exitSoon(int code) {
            Thread.ofPlatform().name("exit").start(() -> System.exit(code));
        }
    }
}
