package org.bergfried.router.auth;

import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import org.bergfried.contract.Require;

/// The file of API keys. Keys themselves are not in it, only their digests.
///
/// @param keys the keys, at most 10000.
public record KeyFile(List<Key> keys) {
    /// Checks that names and digests differ.
    public KeyFile {
        keys = List.copyOf(keys);
        Require.range("keys", keys.size(), 0, 10_000);
        var names = new HashSet<String>();
        var digests = new HashSet<String>();
        for (Key key : keys) {
            Require.that(names.add(key.name()), "keys", "has the name " + key.name() + " twice");
            Require.that(digests.add(key.sha256()), "keys", "has the key of " + key.name() + " twice");
        }
    }

    /// One key.
    ///
    /// @param name what logs and errors call it.
    /// @param tenant whose data it sees.
    /// @param roles what it may do.
    /// @param sha256 the SHA-256 of the key, 64 lowercase hexadecimal digits.
    public record Key(String name, String tenant, List<Role> roles, String sha256) {
        private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,128}");
        private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

        /// Checks each part.
        public Key {
            Require.text("name", name);
            Require.text("tenant", tenant);
            Require.text("sha256", sha256);
            Require.that(NAME.matcher(name).matches(), "name", "must be 1 to 128 of A-Z a-z 0-9 . _ -");
            Require.that(NAME.matcher(tenant).matches(), "tenant", "must be 1 to 128 of A-Z a-z 0-9 . _ -");
            Require.that(
                    DIGEST.matcher(sha256).matches(),
                    "sha256",
                    "must be the 64 lowercase hexadecimal digits that sha256sum prints for the key");
            roles = List.copyOf(roles);
            Require.that(!roles.isEmpty(), "roles", "must name at least one of CALLER, VIEWER, OPERATOR");
        }
    }
}
