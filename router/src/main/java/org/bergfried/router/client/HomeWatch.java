package org.bergfried.router.client;

import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.Registration;
import org.bergfried.contract.cluster.WorkerAnnouncement;
import org.bergfried.contract.cluster.WorkerAnnouncement.Role;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Follows the workers: after each change of the directory, and every second, it brings channels and catalog up to
/// date and asks whether a home can really serve.
public final class HomeWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HomeWatch.class);
    private static final long INTERVAL_MILLIS = 1_000;

    private final Directory directory;
    private final EngineChannels channels;
    private final EngineProbe probe;
    private final ModelCatalog catalog;
    private final Consumer<Boolean> readiness;
    private final Semaphore changed = new Semaphore(1);
    private final Registration registration;
    private final Thread thread;
    private volatile int readyHomes;

    /// Starts to watch.
    ///
    /// @param homesChanged is called after each change of the directory; it must not block.
    /// @param readiness hears after each look whether a token can be produced.
    public HomeWatch(
            Directory directory,
            EngineChannels channels,
            EngineProbe probe,
            ModelCatalog catalog,
            Runnable homesChanged,
            Consumer<Boolean> readiness) {
        this.directory = directory;
        this.channels = channels;
        this.probe = probe;
        this.catalog = catalog;
        this.readiness = readiness;
        this.registration = directory.onChange(() -> {
            homesChanged.run();
            changed.release();
        });
        this.thread = Thread.ofVirtual().name("home-watch").start(this::run);
    }

    /// Workers that can be homes now.
    public int readyHomes() {
        return readyHomes;
    }

    @Override
    public void close() {
        registration.close();
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                var _ = changed.tryAcquire(INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
                changed.drainPermits();
                lookGuarded();
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// A look that fails, such as at a worker whose address this router may not call, must not be the last one.
    private void lookGuarded() {
        try {
            look();
        } catch (RuntimeException failed) {
            LOG.error("Looking at the workers failed; trying again", failed);
        }
    }

    private void look() {
        List<WorkerAnnouncement> workers = directory.workers();
        channels.retain(workers);
        catalog.update(workers, changed::release);
        List<WorkerAnnouncement> homes = workers.stream()
                .filter(worker -> worker.serves(Role.TRUNK)
                        && catalog.find(worker.modelDigest(), worker.numericsId())
                                .isPresent())
                .toList();
        readyHomes = homes.size();
        readiness.accept(homes.stream().anyMatch(probe::isServing));
    }
}
