package org.bergfried.contract.seal;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// Seals values for the shared maps with AES-256-GCM. Each record has a key of its own, derived by HKDF-SHA256
/// from the master key and (map, key, version); the same three are authenticated, so a value that was changed, or
/// moved to another map, key or version, does not open.
///
/// Layout: format 1 (1 byte), length of the key id (1), key id (ASCII), version (8, big-endian), nonce (12),
/// ciphertext and tag. The version stands in clear, so that members which merge can compare records without
/// opening them.
public final class Sealer {
    private static final byte FORMAT = 1;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final String PURPOSE = "bergfried-seal-1";

    private final SealKeys keys;
    private final SecureRandom random;

    /// A sealer that seals with the current key and opens with any of them.
    public Sealer(SealKeys keys, SecureRandom random) {
        this.keys = keys;
        this.random = random;
    }

    /// What was inside a sealed value.
    ///
    /// @param version the version that it was sealed with.
    /// @param plain the content.
    @SuppressWarnings("ArrayRecordComponent") // never compared, handed over once
    public record Opened(long version, byte[] plain) {}

    /// Seals a value for one place.
    ///
    /// @param map the map it goes to.
    /// @param key its key there.
    /// @param version grows with each value of that key; the higher one wins when clusters merge.
    public byte[] seal(String map, String key, long version, byte[] plain) {
        byte[] keyId = keys.currentId().getBytes(StandardCharsets.US_ASCII);
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            byte[] place = place(map, key, version);
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, keys.key(keys.currentId()), place, nonce)
                    .doFinal(plain);
            return ByteBuffer.allocate(2 + keyId.length + Long.BYTES + NONCE_BYTES + sealed.length)
                    .put(FORMAT)
                    .put((byte) keyId.length)
                    .put(keyId)
                    .putLong(version)
                    .put(nonce)
                    .put(sealed)
                    .array();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("the JDK cannot seal", impossible);
        }
    }

    /// Opens a value that was sealed for this place.
    ///
    /// @throws ClusterException if it was not, was changed, or its key is unknown here.
    public Opened open(String map, String key, byte[] sealed) {
        String where = "sealed value of " + map + "/" + key;
        try {
            ByteBuffer buffer = ByteBuffer.wrap(sealed);
            String keyId = readKeyId(buffer, where);
            byte[] master = keys.key(keyId);
            if (master.length == 0) {
                throw refusal(where + " has the key id \"" + keyId + "\", which is unknown here; " + keys
                        + " are known; add that key to the key file");
            }
            long version = buffer.getLong();
            byte[] nonce = new byte[NONCE_BYTES];
            buffer.get(nonce);
            byte[] rest = new byte[buffer.remaining()];
            buffer.get(rest);
            return new Opened(
                    version,
                    cipher(Cipher.DECRYPT_MODE, master, place(map, key, version), nonce)
                            .doFinal(rest));
        } catch (BufferUnderflowException tooShort) {
            throw refusal(where + " is cut: it has only " + sealed.length + " bytes");
        } catch (AEADBadTagException changed) {
            throw refusal(where + " was changed, or belongs to another place or cluster");
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("the JDK cannot open a seal", impossible);
        }
    }

    /// The version of a sealed value, unverified; lower than any real one if the bytes are malformed.
    public static long versionOf(byte[] sealed) {
        int at = sealed.length < 2 ? Integer.MAX_VALUE : 2 + sealed[1];
        boolean wellFormed = at >= 2 && at <= sealed.length - Long.BYTES && sealed[0] == FORMAT;
        return wellFormed ? ByteBuffer.wrap(sealed).getLong(at) : Long.MIN_VALUE;
    }

    private static String readKeyId(ByteBuffer buffer, String where) {
        byte format = buffer.get();
        if (format != FORMAT) {
            throw refusal(where + " has the format " + format + "; format " + FORMAT + " is understood");
        }
        byte[] keyId = new byte[Math.max(0, buffer.get())];
        buffer.get(keyId);
        return new String(keyId, StandardCharsets.US_ASCII);
    }

    private static Cipher cipher(int mode, byte[] master, byte[] place, byte[] nonce) throws GeneralSecurityException {
        SecretKey key = KDF.getInstance("HKDF-SHA256")
                .deriveKey("AES", HKDFParameterSpec.ofExtract().addIKM(master).thenExpand(place, SealKeys.KEY_BYTES));
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(place);
        return cipher;
    }

    /// (purpose, map, key, version) without ambiguity: each text with its length before it.
    private static byte[] place(String map, String key, long version) {
        byte[] purpose = PURPOSE.getBytes(StandardCharsets.UTF_8);
        byte[] mapName = map.getBytes(StandardCharsets.UTF_8);
        byte[] keyName = key.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(3 * Integer.BYTES + purpose.length + mapName.length + keyName.length + Long.BYTES)
                .putInt(purpose.length)
                .put(purpose)
                .putInt(mapName.length)
                .put(mapName)
                .putInt(keyName.length)
                .put(keyName)
                .putLong(version)
                .array();
    }

    private static ClusterException refusal(String message) {
        return new ClusterException(ErrorReason.INTERNAL, message);
    }
}
