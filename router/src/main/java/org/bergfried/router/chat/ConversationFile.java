package org.bergfried.router.chat;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.template.ChatTemplate;
import org.bergfried.router.chat.template.RenderLimits;
import org.jspecify.annotations.Nullable;

/// A file of conversations that the command `model render` renders: a JSON array of
/// `{name, messages, tools?, add_generation_prompt? (true), kwargs?}`. The trees go to the template as they are.
public final class ConversationFile {
    /// What became of one conversation.
    public sealed interface Rendering {}

    /// The prompt's text.
    public record Rendered(String text) implements Rendering {}

    /// The template rejected the conversation, or it is not as described.
    public record Refused(String message) implements Rendering {}

    private ConversationFile() {}

    /// Renders all conversations of a file.
    ///
    /// @param json the file
    /// @param template the template
    /// @param tokenVariables `bos_token`, `eos_token` and the like
    /// @param date the day that the template sees, at midnight
    /// @param clock measures how long a rendering takes
    /// @return by name, in the order of the file
    /// @throws ClusterException INVALID_REQUEST if the file is not an array of objects with names
    public static Map<String, Rendering> render(
            byte[] json, ChatTemplate template, Map<String, String> tokenVariables, LocalDate date, Clock clock) {
        if (!(JsonTree.read(json, "the conversations file", ErrorReason.INVALID_REQUEST) instanceof List<?> list)) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, "the conversations file must be a JSON array");
        }
        Clock fixed = new MidnightClock(date, clock);
        Map<String, Rendering> renderings = new LinkedHashMap<>();
        for (int i = 0; i < list.size(); i++) {
            Map<String, @Nullable Object> entry = object(list.get(i), "conversation " + i);
            if (!(entry.get("name") instanceof String name)) {
                throw new ClusterException(ErrorReason.INVALID_REQUEST, "conversation " + i + " has no name");
            }
            renderings.put(name, render(entry, "conversation '" + name + "'", template, tokenVariables, fixed));
        }
        return renderings;
    }

    private static Rendering render(
            Map<String, @Nullable Object> entry,
            String what,
            ChatTemplate template,
            Map<String, String> tokenVariables,
            Clock clock) {
        try {
            Map<String, @Nullable Object> variables = conversation(entry, what).variables();
            return new Rendered(template.render(variables, tokenVariables, RenderLimits.DEFAULT, clock)
                    .text());
        } catch (ClusterException error) {
            return new Refused(error.text());
        }
    }

    private static Conversation conversation(Map<String, @Nullable Object> entry, String what) {
        if (!(entry.get("messages") instanceof List<?> messages)) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, what + " has no array 'messages'");
        }
        List<Map<String, @Nullable Object>> trees = messages.stream()
                .map(message -> object(message, "a message of " + what))
                .toList();
        List<?> tools = entry.get("tools") instanceof List<?> list ? list : null;
        Map<String, @Nullable Object> kwargs =
                entry.get("kwargs") == null ? Map.of() : object(entry.get("kwargs"), "'kwargs' of " + what);
        return new Conversation(trees, tools, !Boolean.FALSE.equals(entry.get("add_generation_prompt")), kwargs);
    }

    private static Map<String, @Nullable Object> object(@Nullable Object tree, String what) {
        return JsonTree.object(tree, what, ErrorReason.INVALID_REQUEST);
    }

    /// Stands still at the midnight that begins a day, while durations go on.
    private record MidnightClock(LocalDate date, Clock running) implements Clock {
        @Override
        public long nanoTime() {
            return running.nanoTime();
        }

        @Override
        public long wallMillis() {
            return date.atStartOfDay().toInstant(ZoneOffset.UTC).toEpochMilli();
        }
    }
}
