package org.bergfried.worker;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.bergfried.contract.Clock;
import org.bergfried.worker.engine.LoadProgress;
import org.bergfried.worker.engine.LoadingWatch;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.weights.DigestCache;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The start of a worker up to its loaded weights: says every few seconds how far it is, and knows when it is stuck.
/// Made by the thread that loads.
final class Loading implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Loading.class);
    private static final Duration STILL_MAX = Duration.ofMinutes(2);
    private static final Duration SAY_EVERY = Duration.ofSeconds(5);

    private final LoadingWatch watch;
    private final ScheduledExecutorService speaker = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("load-progress").factory());

    Loading(Clock clock) {
        watch = new LoadingWatch("the model is opened", processorTime(clock), clock, STILL_MAX);
        long every = SAY_EVERY.toMillis();
        var _ = speaker.scheduleAtFixedRate(
                () -> watch.progress().ifPresent(far -> LOG.info("Loading: {}", far)),
                every,
                every,
                TimeUnit.MILLISECONDS);
    }

    /// Opens the model; its weights and what has changed of its digest are read later.
    Model open(Path path, Path dataDirectory) {
        LOG.info("Opening the model at {}", path);
        Model opened = Models.open(path, DigestCache.in(dataDirectory, watch::add));
        LOG.info(
                "Model of family {}: {} layers, {} MiB of files; computing what has changed of its digest",
                opened.spec().family(),
                opened.spec().layers().size(),
                opened.fileBytes() >> 20);
        return opened;
    }

    /// Computes the digest, which may read all files.
    void hash(Model opened) {
        watch.phase("the model's files are hashed", opened.fileBytes());
        LOG.info("Model digest {}", opened.digest());
    }

    /// Who hears of what else is read.
    LoadProgress progress() {
        return watch;
    }

    /// What is being loaded, and how far it is; empty when everything is.
    Optional<String> far() {
        return watch.progress();
    }

    /// Why it does not go on; empty if it does or is done.
    Optional<String> stuck() {
        return watch.stuck();
    }

    /// Everything is loaded, or nothing more will be.
    @Override
    public void close() {
        watch.done();
        speaker.shutdownNow();
    }

    /// Of the thread that calls this; where the JVM cannot tell, the time itself, so that nothing is called stuck.
    private static LongSupplier processorTime(Clock clock) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().threadId();
        return threads.isThreadCpuTimeSupported() ? () -> threads.getThreadCpuTime(id) : clock::nanoTime;
    }
}
