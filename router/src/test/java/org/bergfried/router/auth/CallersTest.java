package org.bergfried.router.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigException;
import org.bergfried.contract.ConfigLoader;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class CallersTest {
    // printf s3cret | sha256sum
    private static final String FILE = """
            keys:
              - name: ci
                tenant: acme
                roles: [CALLER]
                sha256: 1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0
            """;

    private final Callers callers = new Callers(Optional.of(parse(FILE)));

    @Test
    void everybodyIsLocalWithoutAKeyFile() {
        assertEquals(Caller.LOCAL, new Callers(Optional.empty()).authenticate(null));
    }

    @Test
    void knowsTheHolderOfAKey() {
        Caller caller = callers.authenticate("Bearer s3cret");
        assertEquals("acme", caller.tenant());
        assertEquals("ci", callers.authenticate("bearer s3cret").name());
        ClusterException refused = assertThrows(ClusterException.class, () -> caller.require(Role.OPERATOR));
        assertEquals(ErrorReason.FORBIDDEN, refused.reason());
        assertTrue(refused.text().contains("OPERATOR") && refused.text().contains("\"ci\""), refused.text());
    }

    @Test
    void refusesWrongAbsentAndForeignCredentials() {
        for (@Nullable
        String header : new @Nullable String[] {null, "", "Bearer ", "Bearer wrong", "Basic s3cret", "s3cret"}) {
            ClusterException refused = assertThrows(ClusterException.class, () -> callers.authenticate(header));
            assertEquals(ErrorReason.UNAUTHENTICATED, refused.reason());
            assertTrue(!refused.text().contains("wrong"), "a key must not be repeated: " + refused.text());
        }
    }

    @Test
    void refusesAFileWithABrokenDigestOrRole() {
        var digest = assertThrows(ConfigException.class, () -> parse(FILE.replace("1ec1c2", "XYZ")));
        assertTrue(String.valueOf(digest.getMessage()).contains("sha256"), digest.getMessage());
        var role = assertThrows(ConfigException.class, () -> parse(FILE.replace("CALLER", "KING")));
        assertTrue(String.valueOf(role.getMessage()).contains("KING"), role.getMessage());
        assertThrows(ConfigException.class, () -> parse(FILE + FILE.replace("keys:\n", "")));
    }

    private static KeyFile parse(String yaml) {
        return ConfigLoader.parse(KeyFile.class, "keys.yaml", yaml, Map.of());
    }
}
