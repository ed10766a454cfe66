package org.bergfried.worker.meter;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.bergfried.contract.tensor.DispatchClass;
import org.bergfried.worker.batch.BatchLoad;
import org.bergfried.worker.dispatch.RoundTrips;

/// Everything that a worker measures.
///
/// | meter | kind | what |
/// | --- | --- | --- |
/// | `bergfried.sequences.queued` | gauge | sequences that wait for their first step |
/// | `bergfried.sequences.running` | gauge | sequences in the batch |
/// | `bergfried.cache.pages` | gauge | pages of the cache in all |
/// | `bergfried.cache.pages.free` | gauge | pages that nobody holds |
/// | `bergfried.cache.use` | gauge | share of the pages in use, 0 to 1 |
/// | `bergfried.steps` | counter | steps run |
/// | `bergfried.rows` | counter | rows of all steps: prompt and answer tokens computed |
/// | `bergfried.tokens` | counter | tokens drawn |
/// | `bergfried.preemptions` | counter | how often a sequence gave its pages back |
/// | `bergfried.ready` | gauge | 1 if a token can be produced |
/// | `bergfried.placement.epoch` | gauge | the highest placement epoch acted on |
/// | `bergfried.experts.hot` | gauge | routed experts in memory by order of the placement |
/// | `bergfried.experts.imbalance` | gauge | rows of the most chosen expert over the mean of its layer, of the layer
/// where that is largest, in the last one to two minutes of this trunk; 1 is even |
/// | `bergfried.dispatch.round.trip` | histogram | from sending rows of a layer to another worker until their sums
/// came; tag `class`: decode or prefill. A step of decoding waits for the slowest one of each layer |
///
/// The JVM's memory, threads and CPU use come with Micrometer's own names.
public final class WorkerMeters implements AutoCloseable {
    /// Bounds of the histogram: loopback takes about 0.1 ms, a frame of prefill on a slow network hundreds.
    private static final Duration[] ROUND_TRIPS = {
        Duration.ofNanos(100_000), Duration.ofNanos(250_000), Duration.ofNanos(500_000),
        Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(5),
        Duration.ofMillis(10), Duration.ofMillis(25), Duration.ofMillis(50),
        Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofSeconds(1),
        Duration.ofSeconds(5)
    };

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /// Begins with the JVM's own.
    public WorkerMeters() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
    }

    /// Measures a batch.
    public void batch(Supplier<BatchLoad> load) {
        gauge("bergfried.sequences.queued", "sequences that wait for their first step", load, BatchLoad::queued);
        gauge("bergfried.sequences.running", "sequences in the batch", load, BatchLoad::running);
        gauge("bergfried.cache.pages", "pages of the cache in all", load, BatchLoad::pagesTotal);
        gauge("bergfried.cache.pages.free", "pages that nobody holds", load, BatchLoad::pagesFree);
        gauge("bergfried.cache.use", "share of the pages in use, 0 to 1", load, WorkerMeters::use);
        counter("bergfried.steps", "steps run", load, BatchLoad::steps);
        counter("bergfried.rows", "rows of all steps: prompt and answer tokens computed", load, BatchLoad::rows);
        counter("bergfried.tokens", "tokens drawn", load, BatchLoad::tokensDrawn);
        counter("bergfried.preemptions", "how often a sequence gave its pages back", load, BatchLoad::preemptions);
    }

    /// Measures whether a token can be produced.
    public void ready(Supplier<Boolean> ready) {
        gauge("bergfried.ready", "1 if a token can be produced", ready, value -> value ? 1 : 0);
    }

    /// Measures the placement as this worker sees it.
    public void placement(Supplier<Long> epoch, Supplier<Integer> hotExperts) {
        gauge("bergfried.placement.epoch", "the highest placement epoch acted on", epoch, Long::doubleValue);
        gauge(
                "bergfried.experts.hot",
                "routed experts in memory by order of the placement",
                hotExperts,
                Integer::doubleValue);
    }

    /// Measures how unevenly rows fall on experts.
    public void imbalance(Supplier<Double> worst) {
        gauge(
                "bergfried.experts.imbalance",
                "rows of the most chosen expert over the mean of its layer, of the worst layer",
                worst,
                Double::doubleValue);
    }

    /// Measures what other workers take for rows.
    public RoundTrips roundTrips() {
        Timer decode = roundTrip("decode");
        Timer prefill = roundTrip("prefill");
        return (dispatchClass, nanos) ->
                (dispatchClass == DispatchClass.DECODE ? decode : prefill).record(nanos, TimeUnit.NANOSECONDS);
    }

    private Timer roundTrip(String dispatchClass) {
        return Timer.builder("bergfried.dispatch.round.trip")
                .description("from sending rows of a layer to another worker until their sums came")
                .tag("class", dispatchClass)
                .serviceLevelObjectives(ROUND_TRIPS)
                .register(registry);
    }

    /// All meters in Prometheus' text format.
    public String scrape() {
        return registry.scrape();
    }

    @Override
    public void close() {
        registry.close();
    }

    private static double use(BatchLoad load) {
        return load.pagesTotal() == 0 ? 0 : 1 - (double) load.pagesFree() / load.pagesTotal();
    }

    private <T> void gauge(String name, String what, Supplier<T> source, ToDoubleFunction<T> value) {
        Gauge.builder(name, source, s -> value.applyAsDouble(s.get()))
                .description(what)
                .strongReference(true)
                .register(registry);
    }

    private void counter(String name, String what, Supplier<BatchLoad> source, ToDoubleFunction<BatchLoad> value) {
        FunctionCounter.builder(name, source, s -> value.applyAsDouble(s.get()))
                .description(what)
                .register(registry);
    }
}
