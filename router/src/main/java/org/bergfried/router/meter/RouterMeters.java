package org.bergfried.router.meter;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.bergfried.contract.ErrorReason;

/// All meters of the router. Prometheus writes them with underscores and appends `_total` to counters.
///
/// | meter | kind | meaning |
/// | --- | --- | --- |
/// | `bergfried.router.generations.running` | gauge | generations that have a turn |
/// | `bergfried.router.generations.queued` | gauge | generations that wait for a turn |
/// | `bergfried.router.generations.started` | counter | answers that began; tag `resumable` |
/// | `bergfried.router.generations.ended` | counter | answers that ended; tag `reason`: stop, length, tool_calls or
/// an error |
/// | `bergfried.router.generations.resumed` | counter | answers that a client resumed |
/// | `bergfried.router.generations.refused` | counter | calls refused because the queue was full |
/// | `bergfried.router.attempts` | counter | attempts opened; tag `kind`: first or retry (a home was lost) |
/// | `bergfried.router.replays` | counter | answers that another home computes anew from the prompt and goes on with;
/// tag `reason`: what ended the attempt before. Every reason but WORKER_LOST and DRAINING shows only after it
/// happened |
/// | `bergfried.router.time.to.first.token` | histogram | from the acceptance of a call, waiting for a turn included,
/// to its first token; resumed answers are left out |
/// | `bergfried.router.time.between.tokens` | histogram | between two tokens of an answer, replays included |
/// | `bergfried.router.tokens.prompt` | counter | tokens of prompts |
/// | `bergfried.router.tokens.answer` | counter | tokens of answers, replayed ones included |
/// | `bergfried.router.clients.dropped` | counter | clients that read too slowly and were dropped |
/// | `bergfried.router.requests` | timer | calls to the APIs; tags `api` (http, grpc), `call`, `status` |
/// | `bergfried.router.homes.ready` | gauge | workers that can be homes now |
/// | `bergfried.router.placement.epoch` | gauge | highest epoch that this router published or saw |
public final class RouterMeters {
    private static final Duration[] FIRST_TOKEN = {
        Duration.ofMillis(25), Duration.ofMillis(50), Duration.ofMillis(100), Duration.ofMillis(250),
        Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofMillis(2500), Duration.ofSeconds(5),
        Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofSeconds(60)
    };
    private static final Duration[] BETWEEN_TOKENS = {
        Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofMillis(10), Duration.ofMillis(25),
        Duration.ofMillis(50), Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500),
        Duration.ofSeconds(1), Duration.ofMillis(2500), Duration.ofSeconds(5), Duration.ofSeconds(10)
    };

    private final MeterRegistry registry;
    private final Timer firstToken;
    private final Timer betweenTokens;
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
        firstToken = histogram(
                "bergfried.router.time.to.first.token",
                "from the acceptance of a call to its first token, waiting for a turn included",
                FIRST_TOKEN);
        betweenTokens =
                histogram("bergfried.router.time.between.tokens", "between two tokens of an answer", BETWEEN_TOKENS);
        List.of(ErrorReason.WORKER_LOST, ErrorReason.DRAINING).forEach(this::replays);
        startedResumable = started("true");
        startedUnstored = started("false");
        resumed = counter("bergfried.router.generations.resumed", "answers that a client resumed");
        refused = counter("bergfried.router.generations.refused", "calls refused because the queue was full");
        firstAttempts = attempts("first");
        retries = attempts("retry");
        promptTokens = counter("bergfried.router.tokens.prompt", "tokens of prompts");
        answerTokens = counter("bergfried.router.tokens.answer", "tokens of answers, replayed ones included");
        dropped = counter("bergfried.router.clients.dropped", "clients that read too slowly and were dropped");
    }

    private Counter started(String resumable) {
        return counter("bergfried.router.generations.started", "answers that began", "resumable", resumable);
    }

    private Counter attempts(String kind) {
        return counter("bergfried.router.attempts", "attempts opened at homes", "kind", kind);
    }

    /// Watches admission.
    public void watchAdmission(IntSupplier running, IntSupplier queued) {
        gauge("bergfried.router.generations.running", "generations that have a turn", running);
        gauge("bergfried.router.generations.queued", "generations that wait for a turn", queued);
    }

    /// Watches the cluster.
    public void watchCluster(IntSupplier readyHomes, IntSupplier epoch) {
        gauge("bergfried.router.homes.ready", "workers that can be homes now", readyHomes);
        gauge("bergfried.router.placement.epoch", "highest placement epoch published or seen", epoch);
    }

    /// An answer began.
    public void started(boolean resumable) {
        (resumable ? startedResumable : startedUnstored).increment();
    }

    /// An answer ended.
    public void ended(String reason) {
        counter("bergfried.router.generations.ended", "answers that ended, by reason", "reason", reason)
                .increment();
    }

    /// A client resumed an answer.
    public void resumed() {
        resumed.increment();
    }

    /// Answers that began.
    public double startedCount() {
        return startedResumable.count() + startedUnstored.count();
    }

    /// Tokens of answers.
    public double answerTokenCount() {
        return answerTokens.count();
    }

    /// A call was refused because the queue was full.
    public void refused() {
        refused.increment();
    }

    /// An attempt was opened.
    public void attemptOpened(int attempt) {
        (attempt == 1 ? firstAttempts : retries).increment();
    }

    /// Another home goes on with an answer.
    ///
    /// @param reason what ended the attempt before.
    public void replayed(ErrorReason reason) {
        replays(reason).increment();
    }

    private Counter replays(ErrorReason reason) {
        return counter(
                "bergfried.router.replays",
                "answers that went on at another home, by what ended the attempt before",
                "reason",
                reason.name());
    }

    /// The first token of an answer was delivered.
    ///
    /// @param nanos since the call was accepted.
    public void firstToken(long nanos) {
        firstToken.record(nanos, TimeUnit.NANOSECONDS);
    }

    /// Another token of an answer was delivered.
    ///
    /// @param nanos since the one before.
    public void nextToken(long nanos) {
        betweenTokens.record(nanos, TimeUnit.NANOSECONDS);
    }

    private Timer histogram(String name, String what, Duration... bounds) {
        return Timer.builder(name)
                .description(what)
                .serviceLevelObjectives(bounds)
                .register(registry);
    }

    private Counter counter(String name, String what, String... tags) {
        return Counter.builder(name).description(what).tags(tags).register(registry);
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

    private void gauge(String name, String what, IntSupplier value) {
        Gauge.builder(name, value, IntSupplier::getAsInt)
                .description(what)
                .strongReference(true)
                .register(registry);
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
            var _ = sample.stop(Timer.builder("bergfried.router.requests")
                    .description("calls to the APIs")
                    .tags("api", api, "call", call, "status", status)
                    .register(registry));
        }
    }
}
