package org.bergfried.worker.engine;

import java.util.Optional;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.dispatch.Dispatcher;
import org.bergfried.worker.expert.ExpertHost;
import org.bergfried.worker.expert.HostSettings;
import org.bergfried.worker.kernel.choice.Backends;
import org.bergfried.worker.model.Model;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One model on one backend, in one or both roles.
public final class Engine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    private final MemoryPlan plan;
    private final Backends backends;
    private @Nullable HostedExperts experts;
    private @Nullable RunningTrunk trunk;

    /// Makes the way from a trunk to the experts.
    @FunctionalInterface
    public interface DispatcherSource {
        /// Makes it.
        ///
        /// @param limits of the rows on the way; the memory for them is in the sum.
        /// @param host   this engine's own host, or null without that role.
        Dispatcher create(Model model, HostSettings limits, @Nullable ExpertHost host);
    }

    /// Sizes the engine, prints the sum, and loads the trunk's weights. Experts are installed later, by the
    /// placement.
    ///
    /// @param model  stays its owner's and outlives the engine.
    /// @param source called once if there is a trunk.
    /// @param onBug  hears of an exception that ended the step loop: the process should log it and exit.
    /// @throws org.bergfried.contract.ClusterException TOO_LARGE if it does not fit the memory.
    public static Engine open(
            Model model,
            EngineSettings settings,
            MemoryLimit limit,
            DispatcherSource source,
            Clock clock,
            Thread.UncaughtExceptionHandler onBug) {
        return open(model, settings, limit, source, clock, onBug, LoadProgress.NONE);
    }

    /// The same.
    ///
    /// @param progress hears how the loading goes on.
    public static Engine open(
            Model model,
            EngineSettings settings,
            MemoryLimit limit,
            DispatcherSource source,
            Clock clock,
            Thread.UncaughtExceptionHandler onBug,
            LoadProgress progress) {
        Backends backends = Backends.open(settings.backends());
        MemoryPlan plan;
        try {
            plan = MemoryPlan.of(model, settings, limit, DeviceMemory.of(backends));
            LOG.info("Memory: {}", plan.describe());
            backends.reserveDevice(plan.deviceBytes());
        } catch (RuntimeException failure) {
            backends.close();
            throw failure;
        }
        var engine = new Engine(plan, backends);
        try {
            LOG.info("Computing with {}", engine.description());
            backends.onRead(progress::add);
            progress.phase(
                    "the trunk's weights are loaded",
                    settings.runsTrunk()
                            ? TrunkWeights.bytes(model.trunk(), model.spec().tiedHead())
                            : 0);
            engine.start(model, settings, source, clock, onBug);
            return engine;
        } catch (RuntimeException failure) {
            engine.close();
            throw failure;
        }
    }

    private Engine(MemoryPlan plan, Backends backends) {
        this.plan = plan;
        this.backends = backends;
    }

    private void start(
            Model model,
            EngineSettings settings,
            DispatcherSource source,
            Clock clock,
            Thread.UncaughtExceptionHandler onBug) {
        if (MemoryPlan.hostsExperts(model.spec(), settings)) {
            experts = new HostedExperts(model, backends, plan, clock);
        }
        if (settings.runsTrunk()) {
            Dispatcher dispatcher = source.create(model, plan.host(), experts == null ? null : experts.host());
            trunk = RunningTrunk.open(model, backends, plan, settings, dispatcher, clock, onBug);
            LOG.info("Trunk ready: context {}, {} pages of the cache", plan.context(), plan.cachePages());
        }
    }

    /// The memory that it takes.
    public MemoryPlan plan() {
        return plan;
    }

    /// Backend and threads, for people.
    public String description() {
        return backends.description();
    }

    /// The backend's name.
    public String backendName() {
        if (trunk != null) {
            return trunk.backendName();
        }
        return experts == null ? "none" : experts.backendName();
    }

    /// The expert role.
    public Optional<HostedExperts> experts() {
        return Optional.ofNullable(experts);
    }

    /// The trunk role.
    public Optional<RunningTrunk> trunk() {
        return Optional.ofNullable(trunk);
    }

    /// Computes nothing more: sequences end with an error, frames of peers are answered with DRAINING.
    public void fail(ClusterException why) {
        if (experts != null) {
            experts.host().abandon();
        }
        if (trunk != null) {
            trunk.batcher().fail(why);
        }
    }

    /// Ends the step loop and then everything below it.
    @Override
    public void close() {
        if (trunk != null) {
            trunk.close();
        }
        if (experts != null) {
            experts.close();
        }
        backends.close();
    }
}
