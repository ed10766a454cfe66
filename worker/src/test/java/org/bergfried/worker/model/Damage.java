package org.bergfried.worker.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// Damages copies of sound files: their headers, offsets, sizes, counts and strings, and their ends.
final class Damage {
    private static final Pattern TOKEN = Pattern.compile("\"[^\"]*\"|-?\\d+");
    private static final List<String> NUMBERS = List.of(
            "0",
            "-1",
            "1",
            "31",
            "65536",
            "2147483647",
            "2147483648",
            "4294967297",
            "9223372036854775807",
            "9223372036854775808",
            "1e308",
            "0.5",
            "[[]]",
            "null");
    private static final List<String> STRINGS =
            List.of("\"\"", "\"..\"", "\"../x.safetensors\"", "\"F64\"", "\"I32\"", "\"U8\"", "\"\\u0000\"", "{}", "7");
    private static final long[] COUNTS = {
        0,
        1,
        2,
        255,
        1L << 16,
        (1L << 31) - 1,
        1L << 31,
        1L << 32,
        1L << 40,
        1L << 62,
        Long.MAX_VALUE,
        -1,
        Long.MIN_VALUE
    };

    private final SplittableRandom random;

    /// Damage that follows from a seed.
    Damage(int seed) {
        random = new SplittableRandom(seed);
    }

    /// One of as many.
    int choose(int count) {
        return random.nextInt(count);
    }

    /// A JSON file.
    byte[] json(byte[] whole) {
        return choose(5) == 0 ? anyBytes(whole, whole.length) : tokens(whole);
    }

    /// A safetensors file: its header, the length of the header, or all after some byte missing.
    byte[] safetensors(byte[] whole) {
        int header = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (choose(4) == 0) {
            return anyBytes(whole, 8 + header);
        }
        if (choose(8) == 0) {
            return Arrays.copyOf(whole, choose(whole.length));
        }
        byte[] json = tokens(Arrays.copyOfRange(whole, 8, 8 + header));
        int padded = (json.length + 7) / 8 * 8;
        var damaged = new byte[whole.length - header + padded];
        Arrays.fill(damaged, (byte) ' ');
        ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
        System.arraycopy(whole, 8 + header, damaged, 8 + padded, whole.length - 8 - header);
        return damaged;
    }

    /// A GGUF: one to three counts, lengths, sizes, types, offsets, values or letters.
    ///
    /// @param places of the sound file.
    byte[] gguf(byte[] whole, List<GgufPlaces.Place> places) {
        if (choose(8) == 0) {
            return Arrays.copyOf(whole, choose(whole.length));
        }
        byte[] damaged = whole.clone();
        ByteBuffer buffer = ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 1 + choose(3); i > 0; i--) {
            GgufPlaces.Place place = places.get(choose(places.size()));
            switch (place.bytes()) {
                case Long.BYTES -> buffer.putLong(place.at(), count(buffer.getLong(place.at())));
                case Integer.BYTES -> buffer.putInt(place.at(), (int) count(buffer.getInt(place.at())));
                default -> buffer.put(place.at(), (byte) random.nextInt());
            }
        }
        return damaged;
    }

    private long count(long sound) {
        int kind = choose(COUNTS.length + 4);
        return kind < COUNTS.length
                ? COUNTS[kind]
                : List.of(sound + 1, sound - 1, 2 * sound, sound ^ 1L << choose(63))
                        .get(kind - COUNTS.length);
    }

    /// One to three numbers or strings of a JSON text.
    private byte[] tokens(byte[] json) {
        String text = new String(json, StandardCharsets.ISO_8859_1);
        for (int i = 1 + choose(3); i > 0; i--) {
            List<MatchResult> tokens = TOKEN.matcher(text).results().toList();
            MatchResult token = tokens.get(choose(tokens.size()));
            text = text.substring(0, token.start()) + other(token.group(), tokens) + text.substring(token.end());
        }
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private String other(String token, List<MatchResult> tokens) {
        if (!token.startsWith("\"")) {
            return NUMBERS.get(choose(NUMBERS.size()));
        }
        return switch (choose(4)) {
            case 0 -> STRINGS.get(choose(STRINGS.size()));
            case 1 -> tokens.get(choose(tokens.size())).group();
            case 2 -> "\"" + "x".repeat(choose(10_000)) + "\"";
            default -> {
                var letters = new StringBuilder(token);
                letters.setCharAt(choose(letters.length()), (char) (32 + choose(96)));
                yield letters.toString();
            }
        };
    }

    /// One to four changes within the first `range` bytes, whatever stands there.
    byte[] anyBytes(byte[] whole, int range) {
        byte[] bytes = whole.clone();
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 1 + choose(4); i > 0; i--) {
            int at = choose(Math.min(range, bytes.length) - 8);
            switch (choose(6)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] ^= (byte) (1 << choose(8));
                case 2 -> bytes[at] = (byte) ('0' + choose(10));
                case 3 -> buffer.putLong(at, random.nextLong());
                case 4 -> buffer.putLong(at, Long.MAX_VALUE - choose(64));
                default -> System.arraycopy(whole, choose(range - 8), bytes, at, 8);
            }
        }
        return bytes;
    }
}
