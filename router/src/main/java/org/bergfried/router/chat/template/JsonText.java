package org.bergfried.router.chat.template;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `json.dumps` as chat templates know it: the filter `tojson`.
final class JsonText {
    /// How to write.
    ///
    /// @param asciiOnly escape everything else
    /// @param indent the blanks of one level, or null for a single line
    /// @param sortKeys order the keys of dicts
    record Style(
            boolean asciiOnly, @Nullable String indent, String itemSeparator, String keySeparator, boolean sortKeys) {}

    private final Budget budget;
    private final Style style;
    private final Text.Builder out = new Text.Builder();

    private JsonText(Budget budget, Style style) {
        this.budget = budget;
        this.style = style;
    }

    static Text of(Value value, Style style, Budget budget) {
        JsonText json = new JsonText(budget, style);
        json.write(value, 0);
        return json.out.build();
    }

    private void write(Value value, int level) {
        budget.enter();
        budget.requireSize(out.length());
        switch (value) {
            case Text text -> string(text);
            case Value.None _ -> data("null");
            case Value.Bool bool -> data(bool.value() ? "true" : "false");
            case Value.Int number -> data(number.value().toString());
            case Value.Real number -> data(real(number.value()));
            case Value.Items items
            when items.isIndexed() && items.kind() != Value.Items.Kind.RANGE -> array(items.elements(), level);
            case Value.Mapping mapping -> object(mapping.entries(), level);
            case Value.Items _,
                    Value.Undefined _,
                    Value.Generator _,
                    Value.Namespace _,
                    Value.Loop _,
                    Value.Callable _ ->
                throw TemplateException.refused("a " + PythonText.typeName(value) + " has no JSON form");
        }
        budget.leave();
    }

    private void data(String piece) {
        out.append(piece, false);
    }

    private static String real(double value) {
        return switch (PythonText.real(value)) {
            case "nan" -> "NaN";
            case "inf" -> "Infinity";
            case "-inf" -> "-Infinity";
            case String number -> number;
        };
    }

    private void array(List<Value> elements, int level) {
        if (elements.isEmpty()) {
            data("[]");
            return;
        }
        data("[");
        for (int i = 0; i < elements.size(); i++) {
            data(i == 0 ? "" : style.itemSeparator());
            newLine(level + 1);
            write(elements.get(i), level + 1);
        }
        newLine(level);
        data("]");
    }

    private void object(Map<Value, Value> entries, int level) {
        if (entries.isEmpty()) {
            data("{}");
            return;
        }
        List<Map.Entry<Value, Value>> ordered = List.copyOf(entries.entrySet());
        if (style.sortKeys()) {
            Operators operators = new Operators(budget);
            Comparator<Map.Entry<Value, Value>> byKey = (a, b) -> operators.order(a.getKey(), b.getKey());
            ordered = ordered.stream().sorted(byKey).toList();
        }
        data("{");
        boolean first = true;
        for (Map.Entry<Value, Value> entry : ordered) {
            data(first ? "" : style.itemSeparator());
            newLine(level + 1);
            string(key(entry.getKey()));
            data(style.keySeparator());
            write(entry.getValue(), level + 1);
            first = false;
        }
        newLine(level);
        data("}");
    }

    private Text key(Value key) {
        return switch (key) {
            case Text text -> text;
            case Value.None _ -> Text.data("null");
            default -> PythonText.str(key, budget);
        };
    }

    private void newLine(int level) {
        String indent = style.indent();
        if (indent != null) {
            budget.payChars(1 + (long) level * indent.length());
            data("\n" + indent.repeat(level));
        }
    }

    private void string(Text text) {
        budget.payChars(text.length());
        data("\"");
        String value = text.value();
        int plain = 0;
        for (int i = 0; i < value.length(); i++) {
            String escape = escape(value.charAt(i));
            if (escape != null) {
                out.append(text, plain, i);
                data(escape);
                plain = i + 1;
            }
        }
        out.append(text, plain, value.length());
        data("\"");
    }

    @Nullable
    private String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\f' -> "\\f";
            case '\b' -> "\\b";
            default -> c < 0x20 || (style.asciiOnly() && c > 0x7e) ? "\\u%04x".formatted((int) c) : null;
        };
    }
}
