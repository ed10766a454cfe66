package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiPredicate;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The methods of strings; what they give keeps the provenance of each character.
final class StringMethods {
    private final Budget budget;
    private final Sequences sequences;

    StringMethods(Budget budget, Sequences sequences) {
        this.budget = budget;
        this.sequences = sequences;
    }

    Value.@Nullable Callable find(Text text, String name) {
        return switch (name) {
            case "strip" -> arguments -> strip(text, arguments, true, true);
            case "lstrip" -> arguments -> strip(text, arguments, true, false);
            case "rstrip" -> arguments -> strip(text, arguments, false, true);
            case "upper" -> arguments -> map(text, arguments, StringMethods::upper);
            case "lower" -> arguments -> map(text, arguments, StringMethods::lower);
            case "title" -> arguments -> map(text, arguments, StringMethods::title);
            case "capitalize" -> arguments -> map(text, arguments, StringMethods::capitalize);
            case "split" ->
                arguments -> {
                    arguments.expect("sep", "maxsplit");
                    return split(text, arguments.get(0, "sep", Value.NONE), arguments.integer(1, "maxsplit", -1));
                };
            case "startswith" -> arguments -> Value.of(fits(text, arguments, String::startsWith));
            case "endswith" -> arguments -> Value.of(fits(text, arguments, String::endsWith));
            case "replace" ->
                arguments -> {
                    arguments.expect("old", "new", "count");
                    return replace(
                            text,
                            arguments.text(0, "old"),
                            arguments.text(1, "new"),
                            arguments.integer(2, "count", -1));
                };
            case "join" ->
                arguments -> join(
                        text, sequences.elements(arguments.expect("iterable").get(0, "iterable")));
            case "format" -> arguments -> format(text, arguments);
            case "find" ->
                arguments -> {
                    int at = text.value()
                            .indexOf(arguments.expect("sub").text(0, "sub").value());
                    budget.payChars(text.length());
                    return Value.Int.of(at < 0 ? at : text.value().codePointCount(0, at));
                };
            default -> null;
        };
    }

    private Text strip(Text text, Arguments arguments, boolean left, boolean right) {
        budget.payChars(text.length());
        Value characters = arguments.expect("chars").get(0, "chars", Value.NONE);
        return text.strip(
                left,
                right,
                characters instanceof Value.None
                        ? PythonText.WHITESPACE
                        : arguments.text(0, "chars").value());
    }

    private Text map(Text text, Arguments arguments, Function<Text, Text> change) {
        arguments.expect();
        budget.payChars(text.length());
        return change.apply(text);
    }

    static Text upper(Text text) {
        return text.mapRuns(run -> run.toUpperCase(Locale.ROOT));
    }

    static Text lower(Text text) {
        return text.mapRuns(run -> run.toLowerCase(Locale.ROOT));
    }

    static Text capitalize(Text text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.value().offsetByCodePoints(0, 1);
        return text.slice(0, first)
                .mapRuns(run -> titleCase(run.codePointAt(0)))
                .plus(lower(text.slice(first)));
    }

    /// Each letter that follows no letter becomes a capital, the others small.
    static Text title(Text text) {
        Text.Builder builder = new Text.Builder();
        boolean inWord = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.value().codePointAt(i);
            String changed = inWord ? Character.toString(c).toLowerCase(Locale.ROOT) : titleCase(c);
            builder.append(changed, text.literalAt(i));
            inWord = Character.isLetter(c);
            i += Character.charCount(c);
        }
        return builder.build();
    }

    private static String titleCase(int c) {
        return Character.toString(Character.toTitleCase(c));
    }

    private Value split(Text text, Value separator, int countMax) {
        budget.payChars(text.length());
        List<Value> parts = new ArrayList<>();
        int limit = countMax < 0 ? Integer.MAX_VALUE : countMax;
        if (separator instanceof Value.None) {
            splitAtWhitespace(text, limit, parts);
        } else if (separator instanceof Text by && !by.isEmpty()) {
            splitAt(text, by.value(), limit, parts);
        } else {
            throw TemplateException.refused("split needs a separator that is a string and not empty");
        }
        budget.pay(parts.size());
        return Value.Items.list(parts);
    }

    private static void splitAt(Text text, String separator, int countMax, List<Value> parts) {
        int from = 0;
        while (parts.size() < countMax) {
            int at = text.value().indexOf(separator, from);
            if (at < 0) {
                break;
            }
            parts.add(text.slice(from, at));
            from = at + separator.length();
        }
        parts.add(text.slice(from));
    }

    private static void splitAtWhitespace(Text text, int countMax, List<Value> parts) {
        Text rest = text.strip(true, false, PythonText.WHITESPACE);
        int from = text.length() - rest.length();
        while (from < text.length()) {
            if (parts.size() == countMax) {
                parts.add(text.slice(from).strip(false, true, PythonText.WHITESPACE));
                return;
            }
            int end = from;
            while (end < text.length()
                    && PythonText.WHITESPACE.indexOf(text.value().charAt(end)) < 0) {
                end++;
            }
            parts.add(text.slice(from, end));
            while (end < text.length()
                    && PythonText.WHITESPACE.indexOf(text.value().charAt(end)) >= 0) {
                end++;
            }
            from = end;
        }
    }

    private boolean fits(Text text, Arguments arguments, BiPredicate<String, String> test) {
        budget.payChars(text.length());
        Value sought = arguments.expect("prefix").get(0, "prefix");
        if (sought instanceof Value.Items items && items.kind() == Value.Items.Kind.TUPLE) {
            return items.elements().stream()
                    .anyMatch(one -> one instanceof Text part && test.test(text.value(), part.value()));
        }
        return test.test(text.value(), arguments.text(0, "prefix").value());
    }

    Text replace(Text text, Text old, Text by, int countMax) {
        Text.Builder builder = new Text.Builder();
        int count = countMax < 0 ? Integer.MAX_VALUE : countMax;
        int from = 0;
        int at = text.value().indexOf(old.value());
        while (at >= 0 && count-- > 0) {
            budget.payChars((long) at - from + by.length());
            budget.requireSize(builder.length());
            builder.append(text, from, at).append(by);
            from = at + old.length();
            at = old.isEmpty() ? afterCharacter(text, at) : text.value().indexOf(old.value(), from);
        }
        budget.payChars((long) builder.length() + text.length() - from);
        return builder.append(text, from, text.length()).build();
    }

    private static int afterCharacter(Text text, int at) {
        return at < text.length() ? text.value().offsetByCodePoints(at, 1) : -1;
    }

    Text join(Text separator, List<Value> elements) {
        Text.Builder builder = new Text.Builder();
        for (int i = 0; i < elements.size(); i++) {
            Text element = PythonText.str(elements.get(i), budget);
            budget.payChars((long) element.length() + separator.length());
            budget.requireSize((long) builder.length() + element.length());
            builder.append(i == 0 ? Text.EMPTY : separator).append(element);
        }
        return builder.build();
    }

    /// `'{} {1}'.format(...)`: fields without a format of their own.
    private Text format(Text text, Arguments arguments) {
        Text.Builder builder = new Text.Builder();
        String pattern = text.value();
        int next = 0;
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c != '{' && c != '}') {
                builder.append(text, i, i + 1);
            } else if (i + 1 < pattern.length() && pattern.charAt(i + 1) == c) {
                builder.append(text, i, i + 1);
                i++;
            } else {
                int end = c == '{' ? pattern.indexOf('}', i) : -1;
                if (end < 0) {
                    throw TemplateException.refused("format: a bracket stands alone");
                }
                String field = pattern.substring(i + 1, end);
                Text value = PythonText.str(field(field, next, arguments), budget);
                next += field.isEmpty() ? 1 : 0;
                budget.payChars((long) builder.length() + value.length());
                builder.append(value);
                i = end;
            }
        }
        return builder.build();
    }

    private static Value field(String field, int next, Arguments arguments) {
        boolean number = !field.isEmpty() && field.length() < 6 && field.chars().allMatch(c -> c >= '0' && c <= '9');
        int position = field.isEmpty() ? next : number ? Integer.parseInt(field) : Integer.MAX_VALUE;
        Value value = arguments.find(position, field);
        if (value == null) {
            throw TemplateException.refused("format has no value for the field '{" + field + "}'");
        }
        return value;
    }
}
