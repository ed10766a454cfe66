package org.bergfried.router;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.SystemClock;
import org.bergfried.contract.cluster.HazelcastCluster;
import org.bergfried.contract.cluster.MemberRole;
import org.bergfried.contract.seal.SealKeys;
import org.bergfried.contract.seal.Sealer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The router process: `RouterMain --config FILE [--parent-pipe]`.
///
/// SIGTERM ends it after the running answers, at most `drain` later. With `--parent-pipe` it also ends, after
/// at most two seconds for the running answers, when its standard input closes, so that it does not outlive the
/// process
/// that started it for long.
///
/// | exit code | meaning |
/// | --- | --- |
/// | 0 | `--help`, or the parent's pipe closed |
/// | 1 | a bug; the log says more |
/// | 2 | wrong arguments |
/// | 3 | the configuration cannot be used: a wrong value or file, an address in use |
/// | 143 | ended by SIGTERM, after draining |
public final class RouterMain {
    private static final String USAGE = "usage: RouterMain --config FILE [--parent-pipe]";

    private static final Duration ORPHAN_DRAIN = Duration.ofSeconds(2);

    private RouterMain() {}

    /// Runs the process.
    public static void main(String[] args) {
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "router-logback.xml");
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
        Logger log = LoggerFactory.getLogger(RouterMain.class);
        try {
            start(file, hasParentPipe, log);
        } catch (ConfigException | IOException refused) {
            exit(3, String.valueOf(refused.getMessage()));
        } catch (Throwable bug) {
            log.error("The router cannot run because of a bug", bug);
            exit(1, "the router cannot run because of a bug: " + bug);
        }
    }

    private static void start(Path file, boolean hasParentPipe, Logger log) throws IOException {
        RouterConfig config = ConfigLoader.load(RouterConfig.class, file, System.getenv());
        log.info("Effective configuration:\n{}", ConfigLoader.render(config));
        Clock clock = new SystemClock();
        var random = new SecureRandom();
        var sealer = new Sealer(SealKeys.read(config.sealKeys()), random);
        var router = new Router(config, clock, random::nextLong);
        var orphaned = new AtomicBoolean();
        Duration drain = config.drainTimeout();
        Duration orphanDrain = drain.compareTo(ORPHAN_DRAIN) < 0 ? drain : ORPHAN_DRAIN;
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> end(router, orphaned.get() ? orphanDrain : drain, log), "shutdown"));
        if (hasParentPipe) {
            endWithParent(System.in, orphaned);
        }
        router.join(HazelcastCluster.start(config.cluster(), MemberRole.ROUTER, sealer, clock));
    }

    private static void end(Router router, Duration longest, Logger log) {
        try {
            log.info("Draining for at most {} s", longest.toSeconds());
            router.drain(longest);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            router.close();
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
                LoggerFactory.getLogger(RouterMain.class).debug("The parent's pipe broke", closed);
            }
            orphaned.set(true);
            System.exit(0);
        });
    }

    private static void exit(int code, String message) {
        System.err.println(message);
        System.exit(code);
    }
}
