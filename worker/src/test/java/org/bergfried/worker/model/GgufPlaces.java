package org.bergfried.worker.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// Walks over the header of a sound GGUF and notes where its numbers and letters stand.
final class GgufPlaces {
    /// Of the strings in an array, so many are noted.
    private static final int STRINGS_NOTED = 3;

    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final ByteBuffer bytes;
    private final List<Place> places = new ArrayList<>();

    private GgufPlaces(byte[] file) {
        bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// A number of 8 or 4 bytes, or one byte of text.
    record Place(int at, int bytes) {}

    static List<Place> of(byte[] file) {
        var walk = new GgufPlaces(file);
        walk.walk();
        return walk.places;
    }

    private void walk() {
        number(Integer.BYTES);
        number(Integer.BYTES);
        long tensors = number(Long.BYTES);
        long fields = number(Long.BYTES);
        for (long i = 0; i < fields; i++) {
            string(true);
            value((int) number(Integer.BYTES));
        }
        for (long i = 0; i < tensors; i++) {
            string(true);
            for (long sizes = number(Integer.BYTES); sizes > 0; sizes--) {
                number(Long.BYTES);
            }
            number(Integer.BYTES);
            number(Long.BYTES);
        }
    }

    private void value(int type) {
        switch (type) {
            case STRING -> string(true);
            case ARRAY -> {
                int inner = (int) number(Integer.BYTES);
                long count = number(Long.BYTES);
                for (long i = 0; i < count; i++) {
                    if (inner == STRING) {
                        string(i < STRINGS_NOTED);
                    } else {
                        bytes.position(bytes.position() + size(inner));
                    }
                }
            }
            default -> number(size(type));
        }
    }

    private static int size(int type) {
        return switch (type) {
            case 0, 1, 7 -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            default -> 8;
        };
    }

    private long number(int size) {
        int at = bytes.position();
        places.add(new Place(at, size));
        bytes.position(at + size);
        return switch (size) {
            case Long.BYTES -> bytes.getLong(at);
            case Integer.BYTES -> bytes.getInt(at);
            default -> bytes.get(at);
        };
    }

    /// Its length and its first letter.
    private void string(boolean noted) {
        int at = bytes.position();
        int length = (int) bytes.getLong(at);
        if (noted) {
            places.add(new Place(at, Long.BYTES));
            places.add(new Place(at + Long.BYTES, 1));
        }
        bytes.position(at + Long.BYTES + length);
    }
}
