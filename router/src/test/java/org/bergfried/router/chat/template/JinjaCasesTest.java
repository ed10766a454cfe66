package org.bergfried.router.chat.template;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bergfried.contract.ClusterException;
import org.bergfried.router.chat.TestClock;
import org.junit.jupiter.api.Test;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Small templates, one construct or trap each, with what Jinja2 3.1.6 in Transformers' configuration answers.
final class JinjaCasesTest {
    /// The file: variables, and templates with their expected text or `{error}`.
    record Cases(Map<String, Object> variables, List<Case> cases) {}

    record Case(String template, Object expected) {}

    @Test
    void rendersAndRefusesAsJinjaDoes() throws IOException {
        Cases cases = read();
        List<String> wrong = new ArrayList<>();
        for (Case one : cases.cases()) {
            Object got = render(one.template(), cases.variables());
            boolean same = one.expected() instanceof String text ? text.equals(got) : got instanceof ClusterException;
            if (!same) {
                wrong.add(one.template() + "\n  expected " + one.expected() + "\n  got      " + got);
            }
        }
        assertEquals("", String.join("\n", wrong));
        assertEquals(188, cases.cases().size());
    }

    private static Object render(String template, Map<String, Object> variables) {
        try {
            return ChatTemplate.parse(template)
                    .render(variables, Map.of(), RenderLimits.DEFAULT, new TestClock())
                    .text();
        } catch (ClusterException refused) {
            return refused;
        }
    }

    private static Cases read() throws IOException {
        try (InputStream in = Objects.requireNonNull(JinjaCasesTest.class.getResourceAsStream("jinja-cases.json"))) {
            return new JsonMapper().readValue(in, new TypeReference<Cases>() {});
        }
    }
}
