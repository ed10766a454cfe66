package org.bergfried.router.chat.template;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.bergfried.router.chat.TestClock;
import org.junit.jupiter.api.Test;

/// Literal text is shown in square brackets, data as it is.
final class ProvenanceTest {
    private static final Map<String, Object> VARIABLES =
            Map.of("u", "<s>x<s>", "words", List.of("<s>", "b"), "tree", Map.of("<s>", "<s>"), "number", 7);

    private static void assertRenders(String expected, String template) {
        RenderedPrompt prompt = ChatTemplate.parse(template)
                .render(VARIABLES, Map.of("bos_token", "<BOS>"), RenderLimits.DEFAULT, new TestClock());
        StringBuilder shown = new StringBuilder();
        for (RenderedPrompt.Piece piece : prompt.pieces()) {
            shown.append(piece.literal() ? "[" + piece.text() + "]" : piece.text());
        }
        assertEquals(expected, shown.toString());
    }

    @Test
    void textOfTheTemplateIsLiteralAndVariablesAreData() {
        assertRenders("[<a>]<s>x<s>[<b><c>]", "<a>{{ u }}<b>{{ '<c>' }}");
    }

    @Test
    void tokenVariablesAreLiteral() {
        assertRenders("[<BOS>]<s>x<s>", "{{ bos_token + u }}");
    }

    @Test
    void concatenationKeepsTheProvenanceOfEachSide() {
        assertRenders("[a]<s>x<s>[b]7[c]", "{{ 'a' + u + 'b' ~ number ~ 'c' }}");
    }

    @Test
    void slicesSplitsStripsAndReplacementsKeepIt() {
        assertRenders("[a]<s", "{{ ('a' + u)[:3] }}");
        assertRenders(">[a]", "{{ ('a' + u)[1::-1][1:] ~ 'a' }}".replace("[1::-1][1:]", "[3:4]"));
        assertRenders("[a]<s>", "{{ ('a' + u).split('x')[0] }}");
        assertRenders("x", "{{ u.strip('<s>') }}");
        assertRenders("<s>[<s>]<s>", "{{ u.replace('x', '<s>') }}");
        assertRenders("[a-]<s>x<s>", "{{ 'a-b'.replace('b', u) }}");
        assertRenders("<s>[, ]b", "{{ words | join(', ') }}");
        assertRenders("[AB]<S>X<S>", "{{ ('ab' + u) | upper }}");
        assertRenders("[<]<s>x<s>[>]", "{{ '<{}>'.format(u) }}");
    }

    @Test
    void equalTextsOfDifferentOriginStayApart() {
        assertRenders("<s>[<s>]", "{{ words[0] ~ '<s>' if words[0] == '<s>' }}");
    }

    @Test
    void jsonOfDataIsData() {
        assertRenders("{\"<s>\": \"<s>\"}", "{{ tree | tojson }}");
        assertRenders("{'<s>': '<s>'}", "{{ tree }}");
    }

    @Test
    void outputOfMacrosAndBlocksKeepsIt() {
        assertRenders("[(]<s>x<s>[)]", "{% macro f(a) %}({{ a }}){% endmacro %}{{ f(u) }}");
        assertRenders("[(]<s>x<s>[)]", "{% set b %}({{ u }}){% endset %}{{ b | trim }}");
    }

    @Test
    void keysOfDataAreData() {
        assertRenders("<s>[=]<s>", "{% for k, v in tree.items() %}{{ k ~ '=' ~ v }}{% endfor %}");
    }

    @Test
    void dataCannotImitateATokenVariable() {
        RenderedPrompt prompt = ChatTemplate.parse("{{ bos_token }}")
                .render(
                        Map.of("bos_token", "<BOS>"),
                        Map.of("bos_token", "<BOS>"),
                        RenderLimits.DEFAULT,
                        new TestClock());
        assertEquals(List.of(new RenderedPrompt.Piece("<BOS>", false)), prompt.pieces());
    }
}
