package org.bergfried.router.api.grpc;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.bergfried.contract.Limits;
import org.bergfried.contract.cluster.TokenIds;
import org.bergfried.proto.inference.v1.AnswerDelta;
import org.bergfried.proto.inference.v1.AnswerEvent;
import org.bergfried.proto.inference.v1.AnswerFinished;
import org.bergfried.proto.inference.v1.AnswerStarted;
import org.bergfried.proto.inference.v1.ChatRequest;
import org.bergfried.proto.inference.v1.GenerateRequest;
import org.bergfried.proto.inference.v1.Message;
import org.bergfried.proto.inference.v1.Options;
import org.bergfried.proto.inference.v1.ServedModel;
import org.bergfried.proto.inference.v1.ToolCall;
import org.bergfried.router.api.AnswerOptions;
import org.bergfried.router.api.ChatCall;
import org.bergfried.router.api.StrictJson;
import org.bergfried.router.api.TextCall;
import org.bergfried.router.chat.ChatMessage;
import org.bergfried.router.chat.Delta;
import org.jspecify.annotations.Nullable;

/// Translates between protobuf and plain values.
final class Wire {
    private Wire() {}

    static ChatCall chat(ChatRequest request) {
        int count = request.getMessagesCount();
        if (count < 1 || count > Limits.MESSAGES) {
            throw AnswerOptions.invalid(
                    "messages", "messages has " + count + " elements; it must have 1 to " + Limits.MESSAGES);
        }
        if (request.getToolsJsonCount() > Limits.TOOLS) {
            throw AnswerOptions.invalid(
                    "tools_json",
                    "tools_json has " + request.getToolsJsonCount() + " elements; the limit is " + Limits.TOOLS);
        }
        List<Object> tools = request.getToolsJsonList().stream()
                .<Object>map(tool -> StrictJson.object(tool, "tools_json"))
                .toList();
        Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
        if (!request.getTemplateKwargsJson().isEmpty()) {
            kwargs.putAll(StrictJson.object(request.getTemplateKwargsJson(), "template_kwargs_json"));
        }
        if (request.hasEnableThinking()) {
            kwargs.put("enable_thinking", request.getEnableThinking());
        }
        return new ChatCall(
                request.getModel(),
                request.getMessagesList().stream().map(Wire::message).toList(),
                tools,
                kwargs,
                options(request.getOptions()));
    }

    static TextCall text(GenerateRequest request) {
        TextCall.Prompt prompt = switch (request.getPromptCase()) {
            case TEXT -> new TextCall.Prompt.Text(request.getText());
            case IDS ->
                new TextCall.Prompt.Ids(TokenIds.of(request.getIds().getValuesList().stream()
                        .mapToInt(Integer::intValue)
                        .toArray()));
            case PROMPT_NOT_SET -> throw AnswerOptions.invalid("prompt", "prompt is required: a text or token ids");
        };
        return new TextCall(request.getModel(), prompt, options(request.getOptions()));
    }

    static AnswerEvent event(org.bergfried.router.api.AnswerEvent event) {
        return switch (event) {
            case org.bergfried.router.api.AnswerEvent.Started started ->
                AnswerEvent.newBuilder()
                        .setStarted(AnswerStarted.newBuilder()
                                .setGenerationId(started.generationId())
                                .setModel(started.model())
                                .setSeed(started.seed())
                                .setPromptTokens(started.promptTokens())
                                .setResumable(started.resumable()))
                        .build();
            case org.bergfried.router.api.AnswerEvent.More(Delta delta) ->
                AnswerEvent.newBuilder().setDelta(delta(delta)).build();
            case org.bergfried.router.api.AnswerEvent.Finished finished ->
                AnswerEvent.newBuilder()
                        .setFinished(AnswerFinished.newBuilder()
                                .setReason(finished.reason())
                                .setPromptTokens(finished.promptTokens())
                                .setCompletionTokens(finished.completionTokens()))
                        .build();
        };
    }

    static ServedModel model(org.bergfried.router.api.ServedModel model) {
        return ServedModel.newBuilder()
                .setName(model.name())
                .setDigest(model.digest())
                .setContextLength(model.contextLength())
                .setNumericsId(model.numericsId())
                .build();
    }

    private static AnswerDelta delta(Delta delta) {
        var wire = AnswerDelta.newBuilder()
                .setPosition(delta.position())
                .setReasoning(delta.reasoning())
                .setContent(delta.content());
        // whole calls are closed one by one, so there is at most one
        delta.toolCalls()
                .forEach(call -> wire.setToolCall(ToolCall.newBuilder()
                        .setId(call.id() == null ? "" : call.id())
                        .setName(call.name() == null ? "" : call.name())
                        .setArgumentsJson(call.arguments())));
        return wire.build();
    }

    private static ChatMessage message(Message message) {
        if (message.getRole().isEmpty()) {
            throw AnswerOptions.invalid("messages.role", "a message has no role; send system, user, assistant or tool");
        }
        return new ChatMessage(
                message.getRole(),
                message.getContent(),
                emptyToNull(message.getName()),
                message.getToolCallsList().stream()
                        .map(call -> new org.bergfried.router.chat.ToolCall(
                                call.getId(), call.getName(), call.getArgumentsJson()))
                        .toList(),
                emptyToNull(message.getToolCallId()),
                emptyToNull(message.getReasoning()));
    }

    private static AnswerOptions options(Options options) {
        return new AnswerOptions(
                options.hasTemperature() ? OptionalDouble.of(options.getTemperature()) : OptionalDouble.empty(),
                options.hasTopP() ? OptionalDouble.of(options.getTopP()) : OptionalDouble.empty(),
                options.hasTopK() ? OptionalInt.of(options.getTopK()) : OptionalInt.empty(),
                options.hasMinP() ? OptionalDouble.of(options.getMinP()) : OptionalDouble.empty(),
                options.hasSeed() ? OptionalLong.of(options.getSeed()) : OptionalLong.empty(),
                options.hasMaxTokens() ? OptionalInt.of(options.getMaxTokens()) : OptionalInt.empty(),
                options.getStopList(),
                options.getIgnoreEos());
    }

    private static @Nullable String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
