package org.bergfried.contract;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A number of bytes as people write it: "512MiB", "4 GiB", "1000" (bytes). Powers of 1024 only, because memory
/// and limits are counted so; "MB" is refused and its message says what to write.
public record ByteSize(long bytes) implements Comparable<ByteSize> {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,18}) ?(B|KiB|MiB|GiB|TiB)?");
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    /// Checks that the size is not negative.
    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("size " + bytes + " must not be negative");
        }
    }

    /// A size in MiB.
    public static ByteSize ofMebibytes(long mebibytes) {
        return new ByteSize(Math.multiplyExact(mebibytes, 1L << 20));
    }

    /// Reads a size.
    ///
    /// @throws IllegalArgumentException if it is no whole number with one of the units, or too large.
    public static ByteSize parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            throw new IllegalArgumentException("\"" + text
                    + "\" is not a size; write a whole number with B, KiB, MiB, GiB or TiB, such as 512MiB");
        }
        String unit = form.group(2) == null ? "B" : form.group(2);
        long factor = 1L << (10 * indexOf(unit));
        try {
            return new ByteSize(Math.multiplyExact(Long.parseLong(form.group(1)), factor));
        } catch (ArithmeticException tooLarge) {
            throw new IllegalArgumentException("\"" + text + "\" is more than 2^63 - 1 bytes", tooLarge);
        }
    }

    /// The bytes as an int, for arrays and counts.
    ///
    /// @throws IllegalArgumentException if it is 2 GiB or more.
    public int toIntBytes() {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("size " + this + " must be below 2GiB");
        }
        return (int) bytes;
    }

    @Override
    public int compareTo(ByteSize other) {
        return Long.compare(bytes, other.bytes);
    }

    /// The size in the largest unit that divides it, in the form that {@link #parse} reads.
    @Override
    public String toString() {
        int unit = 0;
        long count = bytes;
        while (count != 0 && count % 1024 == 0 && unit < UNITS.length - 1) {
            count /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, "%d%s", count, UNITS[unit]);
    }

    private static int indexOf(String unit) {
        for (int i = 0; i < UNITS.length; i++) {
            if (UNITS[i].equals(unit)) {
                return i;
            }
        }
        throw new IllegalStateException("no unit " + unit);
    }
}
