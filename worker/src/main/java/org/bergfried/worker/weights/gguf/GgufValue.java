package org.bergfried.worker.weights.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A value of a GGUF's metadata. Texts and arrays stay in the mapped file until somebody asks for them.
public sealed interface GgufValue {
    /// The value as a message may show it.
    String shown();

    /// A whole number of any width.
    record Whole(long value) implements GgufValue {
        @Override
        public String shown() {
            return Long.toString(value);
        }
    }

    /// A float32 or float64.
    record Real(double value) implements GgufValue {
        @Override
        public String shown() {
            return Double.toString(value);
        }
    }

    /// A truth value.
    record Flag(boolean value) implements GgufValue {
        @Override
        public String shown() {
            return Boolean.toString(value);
        }
    }

    /// A string.
    ///
    /// @param bytes UTF-8.
    record Text(MemorySegment bytes) implements GgufValue {
        private static final int SHOWN_BYTES = 200;

        /// The string, at most 2^31 - 1 bytes long because the caller has bounded it.
        public String value() {
            return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }

        @Override
        public String shown() {
            var shown = new Text(bytes.asSlice(0, Math.min(SHOWN_BYTES, bytes.byteSize())));
            return shown.value();
        }
    }

    /// An array of strings.
    ///
    /// @param count how many.
    /// @param bytes lengths and UTF-8, one after the other; known to be complete.
    record Texts(int count, MemorySegment bytes) implements GgufValue {
        private static final ValueLayout.OfLong LENGTH =
                ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        /// All strings, decoded.
        public String[] values() {
            var values = new String[count];
            long at = 0;
            for (int i = 0; i < count; i++) {
                long length = bytes.get(LENGTH, at);
                at += Long.BYTES;
                values[i] =
                        new String(bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
                at += length;
            }
            return values;
        }

        @Override
        public String shown() {
            return "an array of " + count + " strings";
        }
    }

    /// An array of 32-bit integers, signed or not, or of float32.
    ///
    /// @param count how many.
    /// @param bytes four bytes each.
    record Words(int count, MemorySegment bytes) implements GgufValue {
        private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        /// Element `i` as an integer.
        public int intAt(int i) {
            return bytes.get(INT, (long) i * Integer.BYTES);
        }

        /// Element `i` as a float32.
        public float floatAt(int i) {
            return Float.intBitsToFloat(intAt(i));
        }

        @Override
        public String shown() {
            return "an array of " + count + " numbers";
        }
    }

    /// An array of truth values.
    ///
    /// @param count how many.
    /// @param bytes one each.
    record Flags(int count, MemorySegment bytes) implements GgufValue {
        /// Element `i`: any byte but 0 is true.
        public boolean at(int i) {
            return bytes.get(ValueLayout.JAVA_BYTE, i) != 0;
        }

        @Override
        public String shown() {
            return "an array of " + count + " truth values";
        }
    }

    /// An array of another kind, which nothing here reads.
    ///
    /// @param count how many elements.
    record Other(long count) implements GgufValue {
        @Override
        public String shown() {
            return "an array of " + count + " elements";
        }
    }
}
