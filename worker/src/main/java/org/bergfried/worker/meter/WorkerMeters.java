package org.bergfried.worker.meter;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.bergfried.worker.batch.BatchLoad;

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
///
/// The JVM's memory, threads and CPU use come with Micrometer's own names.
public final class WorkerMeters implements AutoCloseable {
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
