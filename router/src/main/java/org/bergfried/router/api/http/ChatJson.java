package org.bergfried.router.api.http;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.router.api.Answer;
import org.bergfried.router.api.AnswerEvent;
import org.bergfried.router.api.ServedModel;
import org.bergfried.router.api.StrictJson;
import org.bergfried.router.chat.Delta;
import org.bergfried.router.chat.Delta.ToolCallPiece;
import org.jspecify.annotations.Nullable;

/// The JSON of answers, in OpenAI's shape. What OpenAI does not know stands under `bergfried`: the seed, whether
/// the generation can be resumed, and with the usage which workers were its home.
final class ChatJson {
    private final Answer answer;
    private final boolean includeUsage;

    /// @param includeUsage whether chunks have the field usage, which is null but in the last one.
    ChatJson(Answer answer, boolean includeUsage) {
        this.answer = answer;
        this.includeUsage = includeUsage;
    }

    byte[] startChunk(AnswerEvent.Started started) {
        Map<String, @Nullable Object> delta = new LinkedHashMap<>();
        delta.put("role", "assistant");
        delta.put("content", "");
        Map<String, @Nullable Object> chunk = chunk(delta, null);
        chunk.put("bergfried", extension(started));
        return bytes(chunk);
    }

    byte[] deltaChunk(Delta more) {
        Map<String, @Nullable Object> delta = new LinkedHashMap<>();
        if (!more.reasoning().isEmpty()) {
            delta.put("reasoning_content", more.reasoning());
        }
        if (!more.content().isEmpty()) {
            delta.put("content", more.content());
        }
        if (!more.toolCalls().isEmpty()) {
            delta.put(
                    "tool_calls", more.toolCalls().stream().map(ChatJson::piece).toList());
        }
        return bytes(chunk(delta, null));
    }

    byte[] finishChunk(AnswerEvent.Finished finished) {
        return bytes(chunk(Map.of(), finished.reason()));
    }

    byte[] usageChunk(AnswerEvent.Finished finished) {
        Map<String, @Nullable Object> chunk = head("chat.completion.chunk");
        chunk.put("choices", List.of());
        chunk.put("usage", usage(finished));
        chunk.put("bergfried", Map.of("homes", finished.homes()));
        return bytes(chunk);
    }

    /// The whole answer.
    byte[] whole(AnswerEvent.Started started, WholeAnswer text, AnswerEvent.Finished finished) {
        Map<String, @Nullable Object> message = new LinkedHashMap<>();
        message.put("role", "assistant");
        message.put("content", text.content().isEmpty() && !text.calls().isEmpty() ? null : text.content());
        if (!text.reasoning().isEmpty()) {
            message.put("reasoning_content", text.reasoning());
        }
        if (!text.calls().isEmpty()) {
            message.put("tool_calls", text.calls().stream().map(ChatJson::call).toList());
        }
        message.put("refusal", null);
        Map<String, @Nullable Object> choice = new LinkedHashMap<>();
        choice.put("index", 0);
        choice.put("message", message);
        choice.put("logprobs", null);
        choice.put("finish_reason", finished.reason());
        Map<String, @Nullable Object> body = head("chat.completion");
        body.put("choices", List.of(choice));
        body.put("usage", usage(finished));
        Map<String, Object> extension = extension(started);
        extension.put("homes", finished.homes());
        body.put("bergfried", extension);
        return bytes(body);
    }

    /// The list of models.
    static byte[] models(List<ServedModel> models) {
        var list = new ArrayList<Object>();
        models.forEach(model -> list.add(model(model)));
        return bytes(Map.of("object", "list", "data", list));
    }

    /// One model.
    static Map<String, Object> model(ServedModel model) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("id", model.name());
        tree.put("object", "model");
        tree.put("created", model.sinceMillis() / 1000);
        tree.put("owned_by", "bergfried");
        tree.put("context_length", model.contextLength());
        tree.put("digest", model.digest());
        tree.put("numerics_id", model.numericsId());
        return tree;
    }

    static byte[] bytes(Object tree) {
        return StrictJson.MAPPER.writeValueAsBytes(tree);
    }

    private Map<String, @Nullable Object> head(String object) {
        Map<String, @Nullable Object> tree = new LinkedHashMap<>();
        tree.put("id", "chatcmpl-" + answer.generationId());
        tree.put("object", object);
        tree.put("created", answer.createdMillis() / 1000);
        tree.put("model", answer.model());
        tree.put("system_fingerprint", answer.fingerprint());
        return tree;
    }

    private Map<String, @Nullable Object> chunk(
            Map<String, ? extends @Nullable Object> delta, @Nullable String finishReason) {
        Map<String, @Nullable Object> choice = new LinkedHashMap<>();
        choice.put("index", 0);
        choice.put("delta", delta);
        choice.put("logprobs", null);
        choice.put("finish_reason", finishReason);
        Map<String, @Nullable Object> chunk = head("chat.completion.chunk");
        chunk.put("choices", List.of(choice));
        if (includeUsage) {
            chunk.put("usage", null);
        }
        return chunk;
    }

    private static Map<String, Object> extension(AnswerEvent.Started started) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("seed", started.seed());
        tree.put("resumable", started.resumable());
        return tree;
    }

    private static Map<String, Object> usage(AnswerEvent.Finished finished) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("prompt_tokens", finished.promptTokens());
        tree.put("completion_tokens", finished.completionTokens());
        tree.put("total_tokens", finished.promptTokens() + finished.completionTokens());
        return tree;
    }

    private static Map<String, Object> call(ToolCallPiece whole) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("id", String.valueOf(whole.id()));
        tree.put("type", "function");
        tree.put("function", function(whole));
        return tree;
    }

    private static Map<String, Object> piece(ToolCallPiece piece) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("index", piece.index());
        if (piece.id() != null) {
            tree.put("id", piece.id());
            tree.put("type", "function");
        }
        tree.put("function", function(piece));
        return tree;
    }

    private static Map<String, Object> function(ToolCallPiece piece) {
        Map<String, Object> tree = new LinkedHashMap<>();
        if (piece.name() != null) {
            tree.put("name", piece.name());
        }
        tree.put("arguments", piece.arguments());
        return tree;
    }
}
