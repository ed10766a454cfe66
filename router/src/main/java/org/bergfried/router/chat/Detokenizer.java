package org.bergfried.router.chat;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns the bytes of tokens into text as they come. The bytes of a character that is not complete yet wait for the
/// next
/// token; bytes that can never be UTF-8 become U+FFFD.
final class Detokenizer {
    private static final int CHARACTER_BYTES_MAX = 4;

    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer waiting = ByteBuffer.allocate(0);

    /// The text that is certain after these bytes.
    String next(byte[] bytes) {
        ByteBuffer in = ByteBuffer.allocate(waiting.remaining() + bytes.length)
                .put(waiting)
                .put(bytes)
                .flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
        decoder.decode(in, out, false);
        waiting = in;
        return out.flip().toString();
    }

    /// What is left when no more bytes come: U+FFFD for half a character. Afterwards a new text may begin.
    String end() {
        CharBuffer out = CharBuffer.allocate(CHARACTER_BYTES_MAX);
        decoder.decode(waiting, out, true);
        decoder.flush(out);
        decoder.reset();
        waiting = ByteBuffer.allocate(0);
        return out.flip().toString();
    }
}
