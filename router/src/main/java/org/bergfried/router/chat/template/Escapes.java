package org.bergfried.router.chat.template;

/// The escapes of Python's string literals.
final class Escapes {
    private Escapes() {}

    static String decode(String written, int line) {
        if (written.indexOf('\\') < 0) {
            return written;
        }
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < written.length()) {
            char c = written.charAt(at);
            if (c != '\\') {
                text.append(c);
                at++;
            } else {
                at = escape(written, at + 1, text, line);
            }
        }
        return text.toString();
    }

    /// Appends what the escape whose letter is at `at` stands for, and returns the index behind it.
    private static int escape(String written, int at, StringBuilder text, int line) {
        char letter = written.charAt(at);
        int simple = "\\'\"abfnrtv\n".indexOf(letter);
        if (simple >= 0) {
            text.append(letter == '\n' ? "" : "\\'\"\u0007\b\f\n\r\t\u000b".substring(simple, simple + 1));
            return at + 1;
        }
        if (letter >= '0' && letter <= '7') {
            int end = at;
            while (end < written.length() && end < at + 3 && "01234567".indexOf(written.charAt(end)) >= 0) {
                end++;
            }
            text.append((char) Integer.parseInt(written.substring(at, end), 8));
            return end;
        }
        int digits = switch (letter) {
            case 'x' -> 2;
            case 'u' -> 4;
            case 'U' -> 8;
            default -> 0;
        };
        if (digits == 0) {
            text.append('\\').append(letter);
            return at + 1;
        }
        int end = Math.min(written.length(), at + 1 + digits);
        try {
            text.appendCodePoint(Integer.parseInt(written.substring(at + 1, end), 16));
        } catch (IllegalArgumentException wrong) {
            throw TemplateException.unsupported(line, "the escape '\\" + written.substring(at, end) + "' is wrong");
        }
        return end;
    }
}
