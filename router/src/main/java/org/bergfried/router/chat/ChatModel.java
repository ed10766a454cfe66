package org.bergfried.router.chat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.template.ChatTemplate;
import org.bergfried.router.chat.template.RenderLimits;
import org.bergfried.router.chat.template.RenderedPrompt;
import org.jspecify.annotations.Nullable;

/// A model as the router serves it: its card with the template and the tokenizer read. It may be used by several
/// threads
/// at once.
public final class ChatModel {
    private final ModelCard card;
    private final Tokenizer tokenizer;
    private final @Nullable ChatTemplate template;
    private final AnswerMarkers markers;
    private final Set<Integer> stopIds;
    private final Clock clock;

    private ChatModel(ModelCard card, Tokenizer tokenizer, @Nullable ChatTemplate template, Clock clock) {
        this.card = card;
        this.tokenizer = tokenizer;
        this.template = template;
        this.markers = AnswerMarkers.of(tokenizer);
        this.stopIds = Arrays.stream(card.stopIds()).boxed().collect(Collectors.toUnmodifiableSet());
        this.clock = clock;
    }

    /// Reads a card.
    ///
    /// @param clock the time that templates show and that their rendering is measured with
    /// @throws ClusterException MODEL_UNSUPPORTED if the tokenizer or the template is not understood
    public static ChatModel of(ModelCard card, Clock clock) {
        ChatTemplate template = card.chatTemplate().isEmpty() ? null : ChatTemplate.parse(card.chatTemplate());
        return new ChatModel(card, Tokenizer.of(card.tokenizerJson()), template, clock);
    }

    /// The card that this was made from.
    public ModelCard card() {
        return card;
    }

    /// The model's tokenizer.
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// The ids of the prompt for a conversation.
    ///
    /// @throws ClusterException INVALID_REQUEST if the template rejects the conversation, CONTEXT_TOO_LONG if it
    ///     leaves no room for an answer, MODEL_UNSUPPORTED if the model has no template
    public int[] prompt(Conversation conversation) {
        int[] ids = tokenizer.encode(render(conversation));
        if (ids.length >= card.contextLength()) {
            throw new ClusterException(
                    ErrorReason.CONTEXT_TOO_LONG,
                    "the prompt has " + ids.length + " tokens; the context of the model '" + card.name() + "' is "
                            + card.contextLength() + " and an answer needs room in it: shorten the conversation");
        }
        return ids;
    }

    /// The text of the prompt for a conversation, with the provenance of its characters.
    public RenderedPrompt render(Conversation conversation) {
        if (template == null) {
            throw new ClusterException(
                    ErrorReason.MODEL_UNSUPPORTED,
                    "the model '" + card.name() + "' has no chat template: use Generate with a prompt of your own");
        }
        return template.render(conversation.variables(), card.tokenVariables(), RenderLimits.DEFAULT, clock);
    }

    /// Whether the prompt ends inside of reasoning: its last special token is a `<think>`.
    public boolean startsInReasoning(int[] promptIds) {
        for (int i = promptIds.length - 1; i >= 0; i--) {
            int id = promptIds[i];
            if (markers.contains(id) || tokenizer.isSpecial(id)) {
                return id == markers.think();
            }
        }
        return false;
    }

    /// A parser for a new answer, or for one that is replayed from its first token.
    ///
    /// @param generationId the ids of tool calls follow from it
    /// @param promptIds the prompt
    /// @param stopStrings texts that end the content
    /// @throws ClusterException INVALID_REQUEST if a stop string is empty or a limit is exceeded
    public AnswerParser parser(String generationId, int[] promptIds, List<String> stopStrings) {
        return new AnswerParser(tokenizer, markers, stopIds, generationId, startsInReasoning(promptIds), stopStrings);
    }

    /// A parser for an answer without reasoning and tool calls: all text is content.
    ///
    /// @param generationId the generation's id
    /// @param stopStrings texts that end the content
    public AnswerParser textParser(String generationId, List<String> stopStrings) {
        return new AnswerParser(tokenizer, AnswerMarkers.NONE, stopIds, generationId, false, stopStrings);
    }
}
