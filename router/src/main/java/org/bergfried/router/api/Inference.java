package org.bergfried.router.api;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.Cluster;
import org.bergfried.contract.cluster.Directory;
import org.bergfried.contract.cluster.GenerationRecord;
import org.bergfried.contract.cluster.RuleBoard;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.router.auth.Caller;
import org.bergfried.router.auth.Role;
import org.bergfried.router.chat.AnswerParser;
import org.bergfried.router.chat.ChatModel;
import org.bergfried.router.chat.Conversation;
import org.bergfried.router.client.ModelCatalog;
import org.bergfried.router.failover.Generations;
import org.bergfried.router.failover.HomeSource;
import org.bergfried.router.home.HomeChoice;
import org.bergfried.router.home.HomeLoads;
import org.bergfried.router.meter.RouterMeters;

/// What callers can ask, whatever the door: checks the call, makes the request record of it and starts the
/// generation. Its methods do not wait for tokens.
public final class Inference {
    private final Models models;
    private final Generations generations;
    private final Directory directory;
    private final RuleBoard rules;
    private final HomeLoads loads;
    private final AnswerLimits limits;
    private final RouterMeters meters;
    private final Clock clock;
    private final LongSupplier random;

    /// The parts it works with.
    ///
    /// @param random draws 64 bits that nobody can guess: ids of generations and seeds come from it.
    public Inference(
            ModelCatalog catalog,
            Generations generations,
            Cluster cluster,
            HomeLoads loads,
            AnswerLimits limits,
            RouterMeters meters,
            Clock clock,
            LongSupplier random) {
        this.models = new Models(catalog);
        this.generations = generations;
        this.directory = cluster.directory();
        this.rules = cluster.rules();
        this.loads = loads;
        this.limits = limits;
        this.meters = meters;
        this.clock = clock;
        this.random = random;
    }

    /// The models that can answer.
    public List<ServedModel> models(Caller caller) {
        caller.require(Role.CALLER);
        return models.served();
    }

    /// The ids of a text, without special tokens.
    public int[] tokenize(Caller caller, String modelName, String text) {
        caller.require(Role.CALLER);
        return models.named(modelName).tokenizer().encode(text);
    }

    /// Answers a conversation.
    ///
    /// @param wholeCalls whether tool calls are given whole instead of in pieces.
    /// @param timeout after which the caller gives up; empty for the router's own limit.
    /// @throws ClusterException if the call is refused.
    public Answer chat(Caller caller, ChatCall call, boolean wholeCalls, Optional<Duration> timeout) {
        caller.require(Role.CALLER);
        ChatModel model = models.named(call.model());
        int[] promptIds = model.prompt(Conversation.of(call.messages(), call.tools(), call.kwargs()));
        var draft = new RecordDraft(
                caller.tenant(),
                model,
                promptIds,
                call.options(),
                true,
                !call.tools().isEmpty());
        long affinityKey = HomeChoice.affinityKey(caller.tenant(), call.firstUserMessage());
        return start(model, record(draft), affinityKey, wholeCalls, timeout);
    }

    /// Continues a text or token ids.
    ///
    /// @throws ClusterException if the call is refused.
    public Answer generate(Caller caller, TextCall call, Optional<Duration> timeout) {
        caller.require(Role.CALLER);
        ChatModel model = models.named(call.model());
        int[] promptIds = promptIds(model, call.prompt());
        var draft = new RecordDraft(caller.tenant(), model, promptIds, call.options(), false, false);
        return start(model, record(draft), random.getAsLong(), true, timeout);
    }

    /// Goes on with a generation of the caller's tenant.
    ///
    /// @param afterPosition events at or before it are left out.
    /// @throws ClusterException with GENERATION_NOT_FOUND if there is none.
    public Answer resume(Caller caller, String generationId, OptionalInt afterPosition, Optional<Duration> timeout) {
        caller.require(Role.CALLER);
        var made = new Answer[1];
        var generation = generations.resume(
                generationId,
                caller.tenant(),
                Optional.of(shorter(timeout)),
                record -> homes(record, HomeChoice.affinityKey(caller.tenant(), record.generationId())),
                record -> {
                    ChatModel model = models.pinned(record.modelDigest(), record.numericsId());
                    made[0] = answer(model, record, true, afterPosition);
                    return made[0].listener();
                });
        made[0].bind(generation);
        return made[0];
    }

    private Answer start(
            ChatModel model,
            GenerationRecord record,
            long affinityKey,
            boolean wholeCalls,
            Optional<Duration> timeout) {
        Answer answer = answer(model, record, wholeCalls, OptionalInt.empty());
        meters.prompt(record.promptIds().size());
        answer.bind(generations.start(
                record, Optional.of(shorter(timeout)), homes(record, affinityKey), answer.listener()));
        return answer;
    }

    private Answer answer(ChatModel model, GenerationRecord record, boolean wholeCalls, OptionalInt afterPosition) {
        int[] promptIds = record.promptIds().toArray();
        AnswerParser parser = record.chat()
                ? model.parser(record.generationId(), promptIds, record.stopStrings())
                : model.textParser(record.generationId(), record.stopStrings());
        var shape = new Answer.Shape(
                model.card().name(),
                wholeCalls,
                afterPosition,
                limits.bufferPerClient().bytes());
        return new Answer(record, parser, shape, meters);
    }

    private HomeSource homes(GenerationRecord record, long affinityKey) {
        return new DirectoryHomes(directory, rules, loads, record.modelDigest(), record.numericsId(), affinityKey);
    }

    private GenerationRecord record(RecordDraft draft) {
        long seed = draft.options().seed().orElseGet(random);
        return draft.record(
                String.format("%016x%016x", random.getAsLong(), random.getAsLong()), seed, clock.wallMillis());
    }

    private static int[] promptIds(ChatModel model, TextCall.Prompt prompt) {
        int[] ids = switch (prompt) {
            case TextCall.Prompt.Text(String text) -> model.tokenizer().encode(text);
            case TextCall.Prompt.Ids(TokenIds given) -> given.toArray();
        };
        if (ids.length == 0 || ids.length > Limits.PROMPT_TOKENS) {
            throw AnswerOptions.invalid(
                    "prompt", "the prompt has " + ids.length + " tokens; it must have 1 to " + Limits.PROMPT_TOKENS);
        }
        for (int id : ids) {
            if (id < 0 || id >= model.card().vocabularySize()) {
                throw AnswerOptions.invalid(
                        "prompt",
                        "the prompt has the token id " + Integer.toUnsignedString(id) + "; ids of the model "
                                + model.card().name() + " are below "
                                + model.card().vocabularySize());
            }
        }
        return ids;
    }

    private Duration shorter(Optional<Duration> timeout) {
        Duration asked = timeout.orElse(limits.timeout());
        if (asked.isNegative() || asked.isZero()) {
            throw new ClusterException(ErrorReason.DEADLINE, "the caller's deadline had passed before the call began");
        }
        return asked.compareTo(limits.timeout()) < 0 ? asked : limits.timeout();
    }
}
