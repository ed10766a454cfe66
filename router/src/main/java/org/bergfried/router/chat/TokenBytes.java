package org.bergfried.router.chat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// The bytes that each token stands for. Text has to be put together from bytes, because a token may end in the middle
/// of
/// a character.
final class TokenBytes {
    private static final int[] BYTE_OF_CHAR = byteOfChar();

    // The bytes of token i: all[offsets[i]] to all[offsets[i + 1]].
    private final byte[] all;
    private final int[] offsets;

    private TokenBytes(byte[][] tokens) {
        offsets = new int[tokens.length + 1];
        for (int i = 0; i < tokens.length; i++) {
            offsets[i + 1] = offsets[i] + tokens[i].length;
        }
        all = new byte[offsets[tokens.length]];
        for (int i = 0; i < tokens.length; i++) {
            System.arraycopy(tokens[i], 0, all, offsets[i], tokens[i].length);
        }
    }

    static TokenBytes of(Map<String, Integer> vocabulary, List<AddedToken> added, boolean byteLevel) {
        int size = 0;
        for (int id : vocabulary.values()) {
            size = Math.max(size, id + 1);
        }
        for (AddedToken token : added) {
            size = Math.max(size, token.id() + 1);
        }
        byte[][] tokens = new byte[size][0];
        vocabulary.forEach((token, id) -> tokens[id] = byteLevel ? fromByteLevel(token) : fromSentencePiece(token));
        for (AddedToken token : added) {
            tokens[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
        }
        return new TokenBytes(tokens);
    }

    /// Ids from 0 up to here have an entry.
    int size() {
        return offsets.length - 1;
    }

    /// The bytes of a token; none for an id that the tokenizer does not know, such as padding of the vocabulary.
    byte[] of(int id) {
        return id < 0 || id >= size() ? new byte[0] : Arrays.copyOfRange(all, offsets[id], offsets[id + 1]);
    }

    private static byte[] fromByteLevel(String token) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        token.codePoints().forEach(c -> {
            int value = c < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[c] : -1;
            if (value >= 0) {
                bytes.write(value);
            } else {
                bytes.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
            }
        });
        return bytes.toByteArray();
    }

    private static byte[] fromSentencePiece(String token) {
        if (token.length() == 6 && token.startsWith("<0x") && token.endsWith(">")) {
            try {
                return new byte[] {(byte) Integer.parseInt(token.substring(3, 5), 16)};
            } catch (NumberFormatException notHexadecimal) {
                return token.getBytes(StandardCharsets.UTF_8);
            }
        }
        return token.replace('▁', ' ').getBytes(StandardCharsets.UTF_8);
    }

    /// The inverse of GPT-2's alphabet for bytes: printable Latin-1 stands for itself, the others follow from U+0100.
    private static int[] byteOfChar() {
        int[] bytes = new int[0x100 + 256];
        Arrays.fill(bytes, -1);
        int next = 0x100;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value >= '!' && value <= '~') || (value >= 0xa1 && value != 0xad);
            bytes[printable ? value : next++] = value;
        }
        return bytes;
    }
}
