package org.bergfried.router.chat.template;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/// How Python writes values: `str()`, `repr()` and the names of types.
final class PythonText {
    /// What `str.strip()` and `\s` take for whitespace.
    static final String WHITESPACE = "\t\n\u000b\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003"
            + "\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

    private final Budget budget;
    private final StringBuilder out = new StringBuilder();

    private PythonText(Budget budget) {
        this.budget = budget;
    }

    /// `str(value)`: a string is itself, with its provenance; everything else is data.
    static Text str(Value value, Budget budget) {
        return switch (value) {
            case Text text -> text;
            case Value.Undefined _ -> Text.EMPTY;
            case Value.None _,
                    Value.Bool _,
                    Value.Int _,
                    Value.Real _,
                    Value.Items _,
                    Value.Generator _,
                    Value.Mapping _,
                    Value.Namespace _,
                    Value.Loop _,
                    Value.Callable _ -> {
                PythonText writer = new PythonText(budget);
                writer.write(value);
                yield Text.data(writer.out.toString());
            }
        };
    }

    private void write(Value value) {
        budget.enter();
        budget.requireSize(out.length());
        switch (value) {
            case Text text -> quote(text.value());
            case Value.Undefined _ -> out.append("Undefined");
            case Value.None _ -> out.append("None");
            case Value.Bool bool -> out.append(bool.value() ? "True" : "False");
            case Value.Int number -> out.append(number.value());
            case Value.Real number -> out.append(real(number.value()));
            case Value.Items items -> elements(items);
            case Value.Mapping mapping -> entries(mapping.entries());
            case Value.Generator _, Value.Namespace _, Value.Loop _, Value.Callable _ ->
                throw TemplateException.refused("a " + typeName(value) + " has no text");
        }
        budget.leave();
    }

    private void elements(Value.Items items) {
        List<Value> elements = items.elements();
        boolean tuple = items.kind() == Value.Items.Kind.TUPLE;
        out.append(tuple ? '(' : '[');
        for (int i = 0; i < elements.size(); i++) {
            out.append(i == 0 ? "" : ", ");
            write(elements.get(i));
        }
        out.append(tuple && elements.size() == 1 ? "," : "").append(tuple ? ')' : ']');
    }

    private void entries(Map<Value, Value> entries) {
        out.append('{');
        boolean first = true;
        for (Map.Entry<Value, Value> entry : entries.entrySet()) {
            out.append(first ? "" : ", ");
            write(entry.getKey());
            out.append(": ");
            write(entry.getValue());
            first = false;
        }
        out.append('}');
    }

    private void quote(String text) {
        budget.payChars(text.length());
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(
                                c < 0x100
                                        ? "\\x%02x".formatted(c)
                                        : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c));
                    }
                }
            }
        });
        out.append(quote);
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /// `repr` of a float: the shortest digits that read back as the same number.
    static String real(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        String digits = decimal.unscaledValue().abs().toString();
        int exponent = digits.length() - 1 - decimal.scale();
        String sign = value < 0 ? "-" : "";
        if (exponent >= -4 && exponent < 16) {
            String plain = decimal.abs().toPlainString();
            return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
        }
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    static String typeName(Value value) {
        return switch (value) {
            case Text _ -> "str";
            case Value.Undefined _ -> "Undefined";
            case Value.None _ -> "NoneType";
            case Value.Bool _ -> "bool";
            case Value.Int _ -> "int";
            case Value.Real _ -> "float";
            case Value.Items items ->
                switch (items.kind()) {
                    case LIST -> "list";
                    case TUPLE -> "tuple";
                    case RANGE -> "range";
                    case VIEW -> "dict view";
                };
            case Value.Generator _ -> "generator";
            case Value.Mapping _ -> "dict";
            case Value.Namespace _ -> "Namespace";
            case Value.Loop _ -> "LoopContext";
            case Value.Callable _ -> "function";
        };
    }
}
