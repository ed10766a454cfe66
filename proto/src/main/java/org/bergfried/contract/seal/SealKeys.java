package org.bergfried.contract.seal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.bergfried.contract.ConfigException;

/// The master keys of a cluster. The file has one line `id:base64 of 32 bytes` for each; the first is current,
/// the others are still read. Lines that start with `#` are comments.
///
/// To rotate: add the new key as the last line on every member, then make it the first line on every member, and
/// after the longest life of a record (six hours) remove the old one.
public final class SealKeys {
    static final int KEY_BYTES = 32;

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,32}");
    private static final Pattern LINE = Pattern.compile("([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)");
    private static final Set<PosixFilePermission> OTHERS = PosixFilePermissions.fromString("------rwx");

    private final Map<String, byte[]> keys; // by id, in the order of the file, 32 bytes each

    private SealKeys(Map<String, byte[]> keys) {
        this.keys = keys;
    }

    /// Fresh keys in memory, the first id current.
    public static SealKeys generate(SecureRandom random, String... ids) {
        Map<String, byte[]> keys = new LinkedHashMap<>();
        for (String id : ids) {
            if (!ID.matcher(id).matches()) {
                throw new IllegalArgumentException("key id \"" + id + "\" must have 1 to 32 letters, digits, - or _");
            }
            byte[] key = new byte[KEY_BYTES];
            random.nextBytes(key);
            keys.put(id, key);
        }
        return new SealKeys(keys);
    }

    /// Reads a file.
    ///
    /// @throws ConfigException if it is readable for everybody, or a line is malformed; no key is ever in the
    /// message.
    public static SealKeys read(Path file) {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            if (permissions.stream().anyMatch(OTHERS::contains)) {
                throw new ConfigException(
                        "key file " + file + " has the permissions " + PosixFilePermissions.toString(permissions)
                                + "; it must not be open to others: chmod 0600 " + file,
                        null);
            }
            return parse(file.toString(), Files.readAllLines(file));
        } catch (IOException unreadable) {
            throw new ConfigException("cannot read the key file " + file + ": " + unreadable, unreadable);
        }
    }

    static SealKeys parse(String source, List<String> lines) {
        Map<String, byte[]> keys = new LinkedHashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            var form = LINE.matcher(line);
            if (!form.matches()) {
                throw new ConfigException(
                        source + " line " + (i + 1) + " is not of the form id:base64 of " + KEY_BYTES + " bytes", null);
            }
            if (keys.put(form.group(1), Base64.getDecoder().decode(form.group(2))) != null) {
                throw new ConfigException(source + " has the key id " + form.group(1) + " twice", null);
            }
        }
        if (keys.isEmpty()) {
            throw new ConfigException(source + " has no key", null);
        }
        return new SealKeys(keys);
    }

    /// Writes a new file that only its owner can read; an existing one is never overwritten.
    public void write(Path file) {
        List<String> lines = new ArrayList<>();
        lines.add("# Bergfried sealing keys: the first is current, the others are still read.");
        keys.forEach((id, key) -> lines.add(id + ":" + Base64.getEncoder().encodeToString(key)));
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.write(file, lines);
        } catch (IOException unwritable) {
            throw new ConfigException("cannot write the key file " + file + ": " + unwritable, unwritable);
        }
    }

    String currentId() {
        return keys.keySet().iterator().next();
    }

    /// The key of an id, or an empty array for an unknown one.
    byte[] key(String id) {
        return keys.getOrDefault(id, new byte[0]);
    }

    /// Only the ids.
    @Override
    public String toString() {
        return "SealKeys" + keys.keySet();
    }
}
