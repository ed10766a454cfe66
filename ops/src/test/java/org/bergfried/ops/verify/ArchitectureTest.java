package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.EvaluationResult;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Holds the compiled modules against [Boundaries], and shows of each rule that it bites.
final class ArchitectureTest {
    private static final String PLANTED = "org.bergfried.ops.verify.planted";
    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.bergfried");
    private static final JavaClasses PLANTS = new ClassFileImporter().importPackages(PLANTED);

    static Stream<String> ruleNames() {
        return new Boundaries("org.bergfried").all().keySet().stream();
    }

    @Test
    void looksAtAllModulesAndAtNoTest() {
        for (String name : new String[] {"contract", "router", "worker", "ops"}) {
            assertTrue(
                    PRODUCT.stream().anyMatch(type -> type.getPackageName().startsWith("org.bergfried." + name)), name);
        }
        assertFalse(PRODUCT.stream().anyMatch(type -> type.getPackageName().contains("verify")));
    }

    @ParameterizedTest
    @MethodSource("ruleNames")
    void theProductKeepsItsBoundaries(String name) {
        EvaluationResult result = rule("org.bergfried", name).evaluate(PRODUCT);
        assertFalse(result.hasViolation(), () -> result.getFailureReport().toString());
    }

    /// JCuda is not on the class path yet, so nothing can be planted for it.
    @Test
    void everyRuleFindsWhatIsPlanted() {
        Map<String, Boolean> found = new TreeMap<>();
        new Boundaries(PLANTED)
                .all()
                .forEach((name, rule) -> found.put(name, rule.evaluate(PLANTS).hasViolation()));
        Map<String, Boolean> expected = new TreeMap<>();
        ruleNames().forEach(name -> expected.put(name, !name.startsWith("JCuda")));
        assertEquals(expected, found);
    }

    @Test
    void whatIsAllowedIsNotFound() {
        String report = new Boundaries(PLANTED)
                .all().values().stream()
                        .map(rule -> rule.evaluate(PLANTS).getFailureReport().toString())
                        .reduce("", String::concat);
        assertTrue(report.contains("planted.router.home.Decides"), report);
        for (String innocent : new String[] {"router.api.Serves", "vector.Adds", "HazelcastPlanted"}) {
            assertFalse(report.contains("Field <" + PLANTED + "." + innocent), report);
        }
    }

    private static ArchRule rule(String root, String name) {
        ArchRule rule = new Boundaries(root).all().get(name);
        assertTrue(rule != null, name);
        return java.util.Objects.requireNonNull(rule);
    }
}
