package org.bergfried.router.chat.template;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// `strftime` with the directives of the C locale that say something about a day or a time of day.
final class Strftime {
    private Strftime() {}

    static String format(String format, LocalDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            boolean unpadded = format.charAt(i + 1) == '-' && i + 2 < format.length();
            i += unpadded ? 2 : 1;
            String part = part(format.charAt(i), time);
            text.append(unpadded && part.length() > 1 && part.startsWith("0") ? part.substring(1) : part);
        }
        return text.toString();
    }

    private static String part(char directive, LocalDateTime time) {
        return switch (directive) {
            case '%' -> "%";
            case 'Y' -> pattern("uuuu", time);
            case 'y' -> pattern("uu", time);
            case 'm' -> pattern("MM", time);
            case 'B' -> pattern("MMMM", time);
            case 'b', 'h' -> pattern("MMM", time);
            case 'd' -> pattern("dd", time);
            case 'e' -> pattern("ppd", time);
            case 'j' -> pattern("DDD", time);
            case 'A' -> pattern("EEEE", time);
            case 'a' -> pattern("EEE", time);
            case 'H' -> pattern("HH", time);
            case 'I' -> pattern("hh", time);
            case 'M' -> pattern("mm", time);
            case 'S' -> pattern("ss", time);
            case 'p' -> time.getHour() < 12 ? "AM" : "PM";
            case 'F' -> pattern("uuuu-MM-dd", time);
            case 'T' -> pattern("HH:mm:ss", time);
            default -> throw TemplateException.refused("strftime does not know '%" + directive + "'");
        };
    }

    private static String pattern(String pattern, LocalDateTime time) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }
}
