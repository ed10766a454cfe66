package org.bergfried.router.chat.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.router.chat.TestClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class HostileTemplateTest {
    private static final RenderLimits LIMITS = new RenderLimits(2_000_000, 1 << 20, 500, Duration.ofSeconds(5));

    private static final String DOUBLING = "{% set ns = namespace(v=START) %}{% for i in range(60) %}"
            + "{% set ns.v = STEP %}{% endfor %}{{ ns.v END }}";

    private static ClusterException refusal(String template, Map<String, Object> variables) {
        ChatTemplate parsed = ChatTemplate.parse(template);
        return assertThrows(
                ClusterException.class, () -> parsed.render(variables, Map.of(), LIMITS, new TestClock()), template);
    }

    private static void assertLimited(String expected, String template) {
        ClusterException error = refusal(template, Map.of());
        assertEquals(ErrorReason.INVALID_REQUEST, error.reason());
        assertTrue(error.text().contains(expected), error.text());
    }

    private static void assertUnsupported(String expected, String template) {
        ClusterException error = assertThrows(ClusterException.class, () -> ChatTemplate.parse(template));
        assertEquals(ErrorReason.MODEL_UNSUPPORTED, error.reason());
        assertTrue(error.text().contains(expected), error.text());
    }

    private static String doubling(String start, String step, String end) {
        return DOUBLING.replace("START", start).replace("STEP", step).replace("END", end);
    }

    @Test
    void endlessRecursionEndsAtTheDepthLimit() {
        assertRecursionEnds();
    }

    private static void assertRecursionEnds() {
        assertLimited("levels deep", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
        assertLimited(
                "levels deep",
                "{% macro f(n) %}{% for i in [1] %}{% if true %}{{ f(n + 1) | trim }}{% endif %}{% endfor %}"
                        + "{% endmacro %}{{ f(0) }}");
    }

    @Test
    void depthLimitIsReachedBeforeASmallStackIs() throws InterruptedException {
        List<Throwable> thrown = new ArrayList<>();
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        assertRecursionEnds();
                        assertNestedValuesEnd();
                    } catch (StackOverflowError error) {
                        thrown.add(error);
                    }
                },
                "small",
                512 << 10);
        thread.start();
        thread.join();
        assertEquals(List.of(), thrown);
    }

    @Test
    void hugeRangesAndLoopsEnd() {
        assertLimited("units of work", "{{ range(2000000000) | length }}");
        assertLimited("units of work", "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}");
        assertLimited("units of work", doubling("[1]", "ns.v + ns.v", "| length"));
    }

    @Test
    void hugeStringsEnd() {
        assertLimited("longer than", "{{ 'x' * 2000000000 }}");
        assertLimited("longer than", "{{ [1] | tojson(indent=2000000000) }}");
        assertLimited("longer than", doubling("'x'", "ns.v + ns.v", "| length"));
        assertLimited("", doubling("'xx'", "ns.v.replace('x', 'xx')", "| length"));
        assertLimited("longer than", "{% for i in range(2000) %}{{ 'x' * 100000 }}{% endfor %}");
    }

    @Test
    void sharedValuesThatUnfoldWithoutEndEnd() {
        assertLimited("", doubling("[1]", "[ns.v, ns.v]", "| tojson | length"));
        assertLimited("", doubling("[1]", "[ns.v, ns.v]", "| string | length"));
        assertLimited(
                "units of work", doubling("[[1], [1]]", "[[ns.v[0], ns.v[0]], [ns.v[1], ns.v[1]]]", "[0] == ns.v[1]"));
    }

    @Test
    void valuesThatNestWithoutEndEnd() {
        assertNestedValuesEnd();
    }

    private static void assertNestedValuesEnd() {
        String nested = doubling("[1]", "[ns.v]", "| tojson").replace("60", "5000");
        assertLimited("levels deep", nested);
        assertLimited("levels deep", nested.replace("| tojson", "| string"));
        assertLimited("levels deep", nested.replace("| tojson", "== ns.v"));
    }

    @Test
    void hugeIntegersEnd() {
        assertLimited("bits", doubling("9", "ns.v * ns.v", ""));
    }

    @Test
    void dataNestedTooDeepIsRefused() {
        Object tree = List.of();
        for (int i = 0; i < 10_000; i++) {
            tree = List.of(tree);
        }
        assertTrue(refusal("x", Map.of("tree", tree)).text().contains("levels deep"));
    }

    @Test
    void sourceNestedTooDeepIsRefusedWhenItIsRead() {
        assertUnsupported("levels deep", "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}");
        assertUnsupported("levels deep", "{{ " + "[".repeat(100_000) + "]".repeat(100_000) + " }}");
        assertUnsupported("levels deep", "{{ " + "-".repeat(100_000) + "1 }}");
        assertUnsupported("levels deep", "{{ " + "not ".repeat(100_000) + "1 }}");
        assertUnsupported("levels deep", "{% if 1 %}".repeat(100_000));
        assertLimited("levels deep", "{{ 1 " + "+ 1 ".repeat(100_000) + " }}");
        assertLimited("levels deep", "{{ 1 " + "| string ".repeat(100_000) + " }}");
    }

    @Test
    void timeIsLimitedByTheClock() {
        AtomicLong nanos = new AtomicLong();
        Clock slow = new Clock() {
            @Override
            public long nanoTime() {
                return nanos.getAndAdd(Duration.ofSeconds(1).toNanos());
            }

            @Override
            public long wallMillis() {
                return 0;
            }
        };
        ChatTemplate template = ChatTemplate.parse("{% for i in range(900000) %}{% endfor %}");
        ClusterException error =
                assertThrows(ClusterException.class, () -> template.render(Map.of(), Map.of(), LIMITS, slow));
        assertTrue(error.text().contains("takes longer than"), error.text());
    }

    @Test
    void unknownTagsAreRefusedByNameAndLineWhenTheTemplateIsRead() {
        assertUnsupported("line 2: the tag 'include' is not supported", "a\n{% include 'x' %}");
        for (String tag : List.of("raw", "call", "import", "from", "extends", "block", "filter", "with", "do")) {
            assertUnsupported("'" + tag + "'", "{% " + tag + " x %}");
        }
        assertUnsupported("recursive", "{% for i in x recursive %}{% endfor %}");
    }

    @Test
    void anUnknownFilterIsAnErrorWhereItIsRun() {
        ClusterException error = refusal("{{ 'a' | nofilter }}", Map.of());
        assertEquals(ErrorReason.MODEL_UNSUPPORTED, error.reason());
        assertTrue(error.text().contains("'nofilter'"), error.text());
    }

    @Test
    void theMessageOfATemplateReachesTheClient() {
        ClusterException error = refusal("\n{{ raise_exception('roles must alternate') }}", Map.of());
        assertEquals(ErrorReason.INVALID_REQUEST, error.reason());
        assertTrue(error.text().contains("line 2: roles must alternate"), error.text());
    }

    @Test
    void errorsDoNotRepeatWhatAClientWrote() {
        ClusterException error = refusal("{{ raise_exception('bad role ' + m + '!') }}", Map.of("m", "my secret"));
        assertTrue(error.text().contains("bad role \u2026!"), error.text());
        assertFalse(error.text().contains("secret"), error.text());
    }
}
