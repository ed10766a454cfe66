package org.bergfried.contract.seal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SealerTest {
    private static final byte[] PLAIN = "a prompt".getBytes(StandardCharsets.UTF_8);
    private static final String ZERO_KEY = "A".repeat(43) + "=";

    private final SecureRandom random = new SecureRandom();
    private final Sealer sealer = new Sealer(SealKeys.generate(random, "k1"), random);

    @Test
    void opensWhatItSealedAndShowsNothingOfIt() {
        byte[] sealed = sealer.seal("generations", "g1", 42, PLAIN);
        Sealer.Opened opened = sealer.open("generations", "g1", sealed);
        assertArrayEquals(PLAIN, opened.plain());
        assertEquals(42, opened.version());
        assertEquals(42, Sealer.versionOf(sealed));
        assertFalse(new String(sealed, StandardCharsets.ISO_8859_1).contains("prompt"));
        assertFalse(Arrays.equals(sealed, sealer.seal("generations", "g1", 42, PLAIN)), "a nonce of its own");
    }

    @Test
    void everyChangedBitIsNoticed() {
        byte[] sealed = sealer.seal("m", "k", 7, PLAIN);
        for (int bit = 0; bit < sealed.length * 8; bit++) {
            byte[] changed = sealed.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            assertThrows(ClusterException.class, () -> sealer.open("m", "k", changed), "bit " + bit);
        }
        for (int length = 0; length < sealed.length; length++) {
            byte[] cut = Arrays.copyOf(sealed, length);
            assertThrows(ClusterException.class, () -> sealer.open("m", "k", cut), "length " + length);
        }
    }

    @Test
    void aValueDoesNotOpenAtAnotherPlace() {
        byte[] sealed = sealer.seal("map", "key", 1, PLAIN);
        assertTrue(refusal("other", "key", sealed).contains("other/key was changed, or belongs to another place"));
        assertTrue(refusal("map", "key2", sealed).contains("map/key2"));
        assertThrows(ClusterException.class, () -> sealer.open("mapk", "ey", sealed));
    }

    @Test
    void anOldKeyIsReadAndTheFirstOneIsUsed() {
        SealKeys old = SealKeys.parse("f", List.of("old:" + ZERO_KEY));
        SealKeys rotated = SealKeys.parse("f", List.of("new:" + "B".repeat(42) + "A=", "old:" + ZERO_KEY));
        byte[] sealedBefore = new Sealer(old, random).seal("m", "k", 1, PLAIN);
        var after = new Sealer(rotated, random);
        assertArrayEquals(PLAIN, after.open("m", "k", sealedBefore).plain());
        byte[] sealedAfter = after.seal("m", "k", 2, PLAIN);
        var refused = assertThrows(ClusterException.class, () -> new Sealer(old, random).open("m", "k", sealedAfter));
        assertTrue(refused.text().contains("key id \"new\", which is unknown here"), refused.text());
    }

    @Test
    void theFormatIsStable() {
        var zero = new Sealer(SealKeys.parse("f", List.of("k1:" + ZERO_KEY)), random);
        byte[] sealed = HexFormat.of().parseHex(SEALED_BY_FORMAT_1);
        assertArrayEquals(PLAIN, zero.open("generations", "g1", sealed).plain());
    }

    /// Sealed once by this program with the zero key: what older members have written must stay readable.
    private static final String SEALED_BY_FORMAT_1 =
            "01026b31000000000000002abbe308f5aa3a6bb3955dd147baf148dc945a58f98a1e9f0b7c65dac11f39285a5280ad14";

    @Test
    void versionsOfMalformedBytesAreLowerThanAnyOther() {
        for (byte[] bytes :
                List.of(new byte[0], new byte[] {1}, new byte[] {1, 127}, new byte[] {1, -1, 0}, new byte[40])) {
            assertEquals(Long.MIN_VALUE, Sealer.versionOf(bytes));
        }
    }

    @Test
    void aKeyFileBelongsToItsOwnerAlone(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("seal.keys");
        SealKeys.generate(random, "k1", "k0").write(file);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals("SealKeys[k1, k0]", SealKeys.read(file).toString());
        assertThrows(
                ConfigException.class, () -> SealKeys.generate(random, "k2").write(file));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        var open = assertThrows(ConfigException.class, () -> SealKeys.read(file));
        assertTrue(String.valueOf(open.getMessage()).contains("chmod 0600"), open.getMessage());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertEquals("SealKeys[k1, k0]", SealKeys.read(file).toString());
    }

    @Test
    void malformedKeyLinesAreNamedButNotShown() {
        for (String line : List.of("k1", "k1:short", "k 1:" + ZERO_KEY, "k1:" + ZERO_KEY + "x")) {
            var refused = assertThrows(ConfigException.class, () -> SealKeys.parse("f", List.of("# x", "", line)));
            assertEquals("f line 3 is not of the form id:base64 of 32 bytes", refused.getMessage());
        }
        assertThrows(ConfigException.class, () -> SealKeys.parse("f", List.of("#")));
        assertThrows(ConfigException.class, () -> SealKeys.parse("f", List.of("a:" + ZERO_KEY, "a:" + ZERO_KEY)));
    }

    private String refusal(String map, String key, byte[] sealed) {
        return assertThrows(ClusterException.class, () -> sealer.open(map, key, sealed))
                .text();
    }
}
