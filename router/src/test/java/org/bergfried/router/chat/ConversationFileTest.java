package org.bergfried.router.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.bergfried.contract.ClusterException;
import org.bergfried.router.chat.ConversationFile.Refused;
import org.bergfried.router.chat.ConversationFile.Rendered;
import org.bergfried.router.chat.ConversationFile.Rendering;
import org.bergfried.router.chat.template.ChatTemplate;
import org.junit.jupiter.api.Test;

final class ConversationFileTest {
    private static Map<String, Rendering> render(String template, String file) {
        return ConversationFile.render(
                file.getBytes(StandardCharsets.UTF_8),
                ChatTemplate.parse(template),
                Map.of("bos_token", "<s>"),
                LocalDate.of(2025, 2, 3),
                new TestClock());
    }

    @Test
    void variablesAreThoseOfTransformers() {
        String template = "{{ bos_token }}{{ messages[0].content }} {{ tools }} {{ documents }} "
                + "{{ add_generation_prompt }} {{ x }} {{ strftime_now('%d.%m.%Y') }}";
        String file = "[{\"name\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]},"
                + "{\"name\": \"b\", \"messages\": [{\"content\": null}], \"tools\": [1],"
                + " \"add_generation_prompt\": false, \"kwargs\": {\"x\": 1.0}}]";
        Map<String, Rendering> got = render(template, file);
        assertEquals(List.of("a", "b"), List.copyOf(got.keySet()));
        assertEquals(new Rendered("<s>Hi None None True  03.02.2025"), got.get("a"));
        assertEquals(new Rendered("<s>None [1] None False 1.0 03.02.2025"), got.get("b"));
    }

    @Test
    void aRefusedConversationDoesNotStopTheOthers() {
        String file = "[{\"name\": \"a\", \"messages\": []}, {\"name\": \"b\", \"messages\": [{}]},"
                + "{\"name\": \"c\"}, {\"name\": \"d\", \"messages\": [], \"kwargs\": {\"messages\": 1}}]";
        Map<String, Rendering> got = render("{% if not messages %}{{ raise_exception('empty') }}{% endif %}ok", file);
        assertTrue(assertInstanceOf(Refused.class, got.get("a")).message().contains("empty"));
        assertEquals(new Rendered("ok"), got.get("b"));
        assertTrue(assertInstanceOf(Refused.class, got.get("c")).message().contains("'messages'"));
        assertTrue(assertInstanceOf(Refused.class, got.get("d")).message().contains("'messages'"));
    }

    @Test
    void aFileOfAnotherShapeIsRefused() {
        for (String file : List.of("", "{}", "[1]", "[{\"messages\": []}]", "[")) {
            assertThrows(ClusterException.class, () -> render("x", file), file);
        }
    }
}
