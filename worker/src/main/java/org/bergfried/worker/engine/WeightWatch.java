package org.bergfried.worker.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.bergfried.worker.model.Model;

/// Notices that a file of the model has changed while it is mapped. Weights that stay mapped change with it, and
/// those that are read later would be others: what is computed from then on may be wrong.
public final class WeightWatch implements AutoCloseable {
    private static final Duration TICK = Duration.ofSeconds(2);

    private final Model model;
    private final Consumer<String> onChange;
    private final AtomicBoolean hasChanged = new AtomicBoolean();
    private final ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("weight-watch").factory());

    /// Begins to look, every two seconds.
    ///
    /// @param onChange hears once which file has changed and how, on any thread.
    public WeightWatch(Model model, Consumer<String> onChange) {
        this.model = model;
        this.onChange = onChange;
        var _ = ticker.scheduleWithFixedDelay(this::check, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Looks now, and says whether a file has changed: asked too when memory of a mapping could not be read.
    public boolean check() {
        Optional<String> change = hasChanged.get() ? Optional.empty() : model.changedFile();
        if (change.isPresent() && !hasChanged.getAndSet(true)) {
            onChange.accept(change.get());
        }
        return hasChanged.get();
    }

    @Override
    public void close() {
        ticker.shutdownNow();
    }
}
