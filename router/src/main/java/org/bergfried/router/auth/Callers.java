package org.bergfried.router.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.jspecify.annotations.Nullable;

/// Establishes who calls from the Authorization header. Without a key file everybody is {@link Caller#LOCAL}; the
/// router then listens on loopback only.
public final class Callers {
    private static final String SCHEME = "Bearer ";
    private static final int KEY_CHARS_MAX = 512;

    private final @Nullable Map<String, Caller> byDigest;

    /// Callers with these keys; empty for no key file.
    public Callers(Optional<KeyFile> keyFile) {
        byDigest = keyFile.map(
                        file -> file.keys().stream().collect(Collectors.toMap(KeyFile.Key::sha256, Callers::caller)))
                .orElse(null);
    }

    /// Who sent this header. The digest of the key is looked up and not the key, so that the time of the lookup
    /// tells nothing of a key.
    ///
    /// @param authorization the header's value; null if there is none.
    /// @throws ClusterException with UNAUTHENTICATED if it has no known key.
    public Caller authenticate(@Nullable String authorization) {
        if (byDigest == null) {
            return Caller.LOCAL;
        }
        if (authorization == null) {
            throw refusal("there is no Authorization header; send \"Authorization: Bearer KEY\"");
        }
        if (!authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            throw refusal(
                    "the Authorization header has another scheme than Bearer; send \"Authorization: Bearer KEY\"");
        }
        String key = authorization.substring(SCHEME.length()).strip();
        Caller caller = key.isEmpty() || key.length() > KEY_CHARS_MAX ? null : byDigest.get(sha256(key));
        if (caller == null) {
            throw refusal("the API key is not known; ask an operator for a key");
        }
        return caller;
    }

    private static Caller caller(KeyFile.Key key) {
        return new Caller(key.name(), key.tenant(), Set.copyOf(key.roles()));
    }

    private static String sha256(String key) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(key.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("every Java runtime has SHA-256", missing);
        }
    }

    private static ClusterException refusal(String message) {
        return new ClusterException(ErrorReason.UNAUTHENTICATED, message);
    }
}
