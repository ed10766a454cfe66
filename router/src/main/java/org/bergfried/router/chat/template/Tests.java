package org.bergfried.router.chat.template;

/// The tests behind `is`.
final class Tests {
    private final Operators operators;

    Tests(Operators operators) {
        this.operators = operators;
    }

    boolean apply(String name, Value value, Arguments arguments) {
        return switch (name) {
            case "defined" -> !(value instanceof Value.Undefined);
            case "undefined" -> value instanceof Value.Undefined;
            case "none" -> value instanceof Value.None;
            case "string" -> value instanceof Text;
            case "mapping" -> value instanceof Value.Mapping;
            case "number" -> value instanceof Value.Int || value instanceof Value.Real || value instanceof Value.Bool;
            case "integer" -> value instanceof Value.Int;
            case "float" -> value instanceof Value.Real;
            case "boolean" -> value instanceof Value.Bool;
            case "true" -> value instanceof Value.Bool bool && bool.value();
            case "false" -> value instanceof Value.Bool bool && !bool.value();
            case "callable" -> value instanceof Value.Callable;
            case "iterable" -> isSequence(value) || value instanceof Value.Generator;
            case "sequence" -> isSequence(value) && !(value instanceof Value.Items items && !items.isIndexed());
            case "upper" -> value instanceof Text text && hasCase(text, StringMethods.upper(text));
            case "lower" -> value instanceof Text text && hasCase(text, StringMethods.lower(text));
            case "odd" -> remainder(value, 2) == 1;
            case "even" -> remainder(value, 2) == 0;
            case "divisibleby" -> remainder(value, arguments.integer(0, "num", 0)) == 0;
            case "in" -> operators.isIn(value, arguments.get(0, "seq"));
            case "equalto", "eq", "==" -> operators.compare("==", value, arguments.get(0, "other"));
            case "ne", "!=" -> operators.compare("!=", value, arguments.get(0, "other"));
            case "lt", "lessthan", "<" -> operators.compare("<", value, arguments.get(0, "other"));
            case "le", "<=" -> operators.compare("<=", value, arguments.get(0, "other"));
            case "gt", "greaterthan", ">" -> operators.compare(">", value, arguments.get(0, "other"));
            case "ge", ">=" -> operators.compare(">=", value, arguments.get(0, "other"));
            default -> throw TemplateException.unsupported("the test '" + name + "' is not supported");
        };
    }

    private static boolean isSequence(Value value) {
        return value instanceof Text
                || value instanceof Value.Items
                || value instanceof Value.Mapping
                || value instanceof Value.Undefined;
    }

    /// Whether the text has letters, all of the case that `converted` has.
    private static boolean hasCase(Text text, Text converted) {
        return text.equals(converted)
                && text.value().codePoints().anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
    }

    private int remainder(Value value, int divisor) {
        return Operators.toInt(operators.binary("%", value, Value.Int.of(divisor)), "a remainder");
    }
}
