package org.bergfried.router.chat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// The bundled demo model's tokenizer and template, from the test resources.
final class DemoModel {
    static final int EOS = 1;
    static final int USER = 3;
    static final int ASSISTANT = 4;
    static final int THINK = 5;
    static final int END_THINK = 6;
    static final int CALLS = 7;
    static final int END_CALLS = 8;
    static final int CALL = 9;
    static final int END_CALL = 10;
    static final int SEPARATOR = 11;

    static final ChatModel MODEL = ChatModel.of(card(2048), new TestClock());

    private DemoModel() {}

    static ModelCard card(int contextLength) {
        Map<String, @Nullable Object> config = JsonTree.object(
                JsonTree.read(resource("tokenizer_config.json"), "it", ErrorReason.INTERNAL),
                "it",
                ErrorReason.INTERNAL);
        return new ModelCard(
                "bergfried-demo",
                "d",
                "b1f32d",
                resource("tokenizer.json"),
                String.valueOf(config.get("chat_template")),
                Map.of("bos_token", String.valueOf(config.get("bos_token")), "eos_token", "<｜end▁of▁sentence｜>"),
                new int[] {EOS},
                contextLength,
                3072);
    }

    static byte[] resource(String name) {
        try (InputStream in = Objects.requireNonNull(DemoModel.class.getResourceAsStream(name), name)) {
            return in.readAllBytes();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static Conversation ask(String question) {
        return Conversation.of(List.of(ChatMessage.of("user", question)), List.of(), Map.of());
    }
}
