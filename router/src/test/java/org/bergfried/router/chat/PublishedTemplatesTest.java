package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.ConversationFile.Refused;
import org.bergfried.router.chat.ConversationFile.Rendered;
import org.bergfried.router.chat.ConversationFile.Rendering;
import org.bergfried.router.chat.template.ChatTemplate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class PublishedTemplatesTest {
    private static final Map<String, String> TOKENS = Map.of("bos_token", "<BOS>", "eos_token", "<EOS>");

    @Test
    void rendersPublishedTemplatesAsTransformersDoes() throws IOException {
        Path folder = Vectors.folder("templates");
        byte[] conversations = Files.readAllBytes(folder.resolve("conversations.json"));
        List<String> wrong = new ArrayList<>();
        Map<String, @Nullable Object> expected = object(Files.readAllBytes(folder.resolve("expected.json")));
        expected.forEach((file, rows) -> {
            Map<String, Rendering> got = render(folder.resolve(file), conversations);
            JsonTree.object(rows, file, ErrorReason.INTERNAL).forEach((name, want) -> {
                boolean same = want instanceof String text
                        ? new Rendered(text).equals(got.get(name))
                        : got.get(name) instanceof Refused;
                if (!same) {
                    wrong.add(file + " " + name + ":\n" + want + "\n" + got.get(name));
                }
            });
        });
        assertEquals(List.of(), wrong);
        assertEquals(9, expected.size());
    }

    private static Map<String, Rendering> render(Path template, byte[] conversations) {
        try {
            return ConversationFile.render(
                    conversations,
                    ChatTemplate.parse(Files.readString(template)),
                    TOKENS,
                    LocalDate.of(2026, 11, 21),
                    new TestClock());
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static Map<String, @Nullable Object> object(byte[] json) {
        return JsonTree.object(JsonTree.read(json, "expected.json", ErrorReason.INTERNAL), "it", ErrorReason.INTERNAL);
    }
}
