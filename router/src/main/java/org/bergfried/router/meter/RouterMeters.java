package org.bergfried.router.meter;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.function.IntSupplier;

/// All meters of the router. Prometheus writes them with underscores and appends `_total` to counters.
///
/// | meter | kind | meaning |
/// | --- | --- | --- |
/// | `bergfried.router.generations.running` | gauge | generations that have a turn |
/// | `bergfried.router.generations.queued` | gauge | generations that wait for a turn |
/// | `bergfried.router.generations.started` | counter | answers that began; tag `resumable` |
/// | `bergfried.router.generations.ended` | counter | answers that ended; tag `reason`: stop, length, tool_calls or
/// an
/// error |
/// | `bergfried.router.generations.resumed` | counter | answers that a client resumed |
/// | `bergfried.router.generations.refused` | counter | calls refused because the queue was full |
/// | `bergfried.router.attempts` | counter | attempts opened; tag `kind`: first or retry (a home was lost) |
/// | `bergfried.router.tokens.prompt` | counter | tokens of prompts |
/// | `bergfried.router.tokens.answer` | counter | tokens of answers, replayed ones included |
/// | `bergfried.router.clients.dropped` | counter | clients that read too slowly and were dropped |
/// | `bergfried.router.requests` | timer | calls to the APIs; tags `api` (http, grpc), `call`, `status` |
/// | `bergfried.router.homes.ready` | gauge | workers that can be homes now |
/// | `bergfried.router.placement.epoch` | gauge | highest epoch that this router published or saw |
public final class RouterMeters {
    private final MeterRegistry registry;
    private final Counter startedResumable;
    private final Counter startedUnstored;
    private final Counter resumed;
    private final Counter refused;
    private final Counter firstAttempts;
    private final Counter retries;
    private final Counter promptTokens;
    private final Counter answerTokens;
    private final Counter dropped;

    /// Registers the meters.
    public RouterMeters(MeterRegistry registry) {
        this.registry = registry;
        startedResumable = registry.counter("bergfried.router.generations.started", "resumable", "true");
        startedUnstored = registry.counter("bergfried.router.generations.started", "resumable", "false");
        resumed = registry.counter("bergfried.router.generations.resumed");
        refused = registry.counter("bergfried.router.generations.refused");
        firstAttempts = registry.counter("bergfried.router.attempts", "kind", "first");
        retries = registry.counter("bergfried.router.attempts", "kind", "retry");
        promptTokens = registry.counter("bergfried.router.tokens.prompt");
        answerTokens = registry.counter("bergfried.router.tokens.answer");
        dropped = registry.counter("bergfried.router.clients.dropped");
    }

    /// Watches admission.
    public void watchAdmission(IntSupplier running, IntSupplier queued) {
        gauge("bergfried.router.generations.running", running);
        gauge("bergfried.router.generations.queued", queued);
    }

    /// Watches the cluster.
    public void watchCluster(IntSupplier readyHomes, IntSupplier epoch) {
        gauge("bergfried.router.homes.ready", readyHomes);
        gauge("bergfried.router.placement.epoch", epoch);
    }

    /// An answer began.
    public void started(boolean resumable) {
        (resumable ? startedResumable : startedUnstored).increment();
    }

    /// An answer ended.
    public void ended(String reason) {
        registry.counter("bergfried.router.generations.ended", "reason", reason).increment();
    }

    /// A client resumed an answer.
    public void resumed() {
        resumed.increment();
    }

    /// A call was refused because the queue was full.
    public void refused() {
        refused.increment();
    }

    /// An attempt was opened.
    public void attemptOpened(int attempt) {
        (attempt == 1 ? firstAttempts : retries).increment();
    }

    /// A prompt was accepted.
    public void prompt(int tokenCount) {
        promptTokens.increment(tokenCount);
    }

    /// A token was delivered.
    public void token() {
        answerTokens.increment();
    }

    /// A client was dropped.
    public void dropped() {
        dropped.increment();
    }

    private void gauge(String name, IntSupplier value) {
        Gauge.builder(name, value, IntSupplier::getAsInt).strongReference(true).register(registry);
    }

    /// A call to an API begins.
    public Timing begin() {
        return new Timing(Timer.start(registry));
    }

    /// Measures one call.
    public final class Timing {
        private final Timer.Sample sample;

        private Timing(Timer.Sample sample) {
            this.sample = sample;
        }

        /// The call ended.
        ///
        /// @param api http or grpc.
        /// @param call which one.
        /// @param status how: a status or a reason.
        public void end(String api, String call, String status) {
            var _ = sample.stop(
                    registry.timer("bergfried.router.requests", "api", api, "call", call, "status", status));
        }
    }
}
