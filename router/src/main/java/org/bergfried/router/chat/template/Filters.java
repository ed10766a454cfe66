package org.bergfried.router.chat.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The filters behind `|`. One that is not provided is an error where it is run, because templates name some in
/// branches
/// that are never taken.
final class Filters {
    private final Budget budget;
    private final Expressions expressions;
    private final Sequences sequences;
    private final StringMethods strings;

    Filters(Budget budget, Expressions expressions) {
        this.budget = budget;
        this.expressions = expressions;
        this.sequences = expressions.sequences();
        this.strings = new StringMethods(budget, sequences);
    }

    Value apply(String name, Value input, Arguments arguments) {
        return switch (name) {
            case "tojson" -> toJson(input, arguments);
            case "length", "count" -> Value.Int.of(sequences.length(input));
            case "string" -> text(input);
            case "safe" -> text(input);
            case "upper" -> mapped(input, StringMethods::upper);
            case "lower" -> mapped(input, StringMethods::lower);
            case "title" -> mapped(input, StringMethods::title);
            case "capitalize" -> mapped(input, StringMethods::capitalize);
            case "trim" -> trim(input, arguments);
            case "replace" ->
                strings.replace(
                        text(input),
                        text(arguments.expect("old", "new", "count").get(0, "old")),
                        text(arguments.get(1, "new")),
                        arguments.integer(2, "count", -1));
            case "join" -> join(input, arguments);
            case "items" -> items(input);
            case "dictsort" -> dictsort(input, arguments);
            case "list" -> Value.Items.list(List.copyOf(sequences.elements(input)));
            case "first" -> first(input);
            case "last" -> last(input);
            case "reverse" -> reverse(input);
            case "sort" -> sort(input, arguments);
            case "unique" -> unique(input);
            case "default", "d" -> otherwise(input, arguments.expect("default_value", "boolean"));
            case "int" -> integer(input, arguments.expect("default", "base"));
            case "map" -> map(input, arguments);
            case "select" -> select(input, arguments, false, true);
            case "reject" -> select(input, arguments, false, false);
            case "selectattr" -> select(input, arguments, true, true);
            case "rejectattr" -> select(input, arguments, true, false);
            default -> throw TemplateException.unsupported("the filter '" + name + "' is not supported");
        };
    }

    private Text text(Value value) {
        return PythonText.str(value, budget);
    }

    private Value mapped(Value input, UnaryOperator<Text> change) {
        Text text = text(input);
        budget.payChars(text.length());
        return change.apply(text);
    }

    private Value trim(Value input, Arguments arguments) {
        Value characters = arguments.expect("chars").get(0, "chars", Value.NONE);
        Text text = text(input);
        budget.payChars(text.length());
        return text.strip(
                true,
                true,
                characters instanceof Value.None
                        ? PythonText.WHITESPACE
                        : arguments.text(0, "chars").value());
    }

    private Value toJson(Value input, Arguments arguments) {
        arguments.expect("ensure_ascii", "indent", "separators", "sort_keys");
        Value indent = arguments.get(1, "indent", Value.NONE);
        String blanks = indent instanceof Value.None ? null : blanks(indent);
        String itemSeparator = blanks == null ? ", " : ",";
        String keySeparator = ": ";
        if (arguments.get(2, "separators", Value.NONE) instanceof Value.Items pair
                && pair.elements().size() == 2) {
            itemSeparator = text(pair.elements().get(0)).value();
            keySeparator = text(pair.elements().get(1)).value();
        }
        boolean asciiOnly = arguments.flag(0, "ensure_ascii", false);
        boolean sortKeys = arguments.flag(3, "sort_keys", false);
        return JsonText.of(input, new JsonText.Style(asciiOnly, blanks, itemSeparator, keySeparator, sortKeys), budget);
    }

    private String blanks(Value indent) {
        if (indent instanceof Text text) {
            return text.value();
        }
        int count = Math.max(0, Operators.toInt(indent, "indent"));
        budget.payChars(count);
        return " ".repeat(count);
    }

    private Value join(Value input, Arguments arguments) {
        arguments.expect("d", "attribute");
        List<Value> elements = sequences.elements(input);
        Value attribute = arguments.find(1, "attribute");
        if (attribute != null) {
            elements =
                    elements.stream().map(value -> attribute(value, attribute)).toList();
        }
        return strings.join(text(arguments.get(0, "d", Text.EMPTY)), elements);
    }

    private Value items(Value input) {
        return switch (input) {
            case Value.Mapping mapping -> new Value.Generator(Methods.pairs(mapping, budget));
            case Value.Undefined _ -> new Value.Generator(List.of());
            default -> throw TemplateException.refused("items needs a dict, not a " + PythonText.typeName(input));
        };
    }

    private Value dictsort(Value input, Arguments arguments) {
        arguments.expect("case_sensitive", "by", "reverse");
        if (!(input instanceof Value.Mapping mapping)) {
            throw TemplateException.refused("dictsort needs a dict, not a " + PythonText.typeName(input));
        }
        boolean caseSensitive = arguments.flag(0, "case_sensitive", false);
        int position = text(arguments.get(1, "by", Text.literal("key"))).value().equals("value") ? 1 : 0;
        List<Value> pairs = Methods.pairs(mapping, budget);
        sort(pairs, pair -> ((Value.Items) pair).elements().get(position), caseSensitive);
        return Value.Items.list(arguments.flag(2, "reverse", false) ? pairs.reversed() : pairs);
    }

    private Value sort(Value input, Arguments arguments) {
        arguments.expect("reverse", "case_sensitive", "attribute");
        Value attribute = arguments.find(2, "attribute");
        List<Value> elements = new ArrayList<>(sequences.elements(input));
        boolean reverse = arguments.flag(0, "reverse", false);
        if (reverse) {
            Collections.reverse(elements);
        }
        sort(
                elements,
                value -> attribute == null ? value : attribute(value, attribute),
                arguments.flag(1, "case_sensitive", false));
        return Value.Items.list(reverse ? elements.reversed() : elements);
    }

    private void sort(List<Value> values, UnaryOperator<Value> keyOf, boolean caseSensitive) {
        Comparator<Value> order = (left, right) -> {
            budget.pay(1);
            return expressions.operators().order(left, right);
        };
        values.sort(Comparator.comparing(value -> sortKey(keyOf.apply(value), caseSensitive), order));
    }

    private static Value sortKey(Value key, boolean caseSensitive) {
        return key instanceof Text text && !caseSensitive ? StringMethods.lower(text) : key;
    }

    private Value first(Value input) {
        List<Value> elements = sequences.elements(input);
        return elements.isEmpty() ? new Value.Undefined("the first element of nothing") : elements.getFirst();
    }

    private Value last(Value input) {
        if (input instanceof Value.Generator) {
            throw TemplateException.refused("last needs a sequence, not a generator");
        }
        List<Value> elements = sequences.elements(input);
        return elements.isEmpty() ? new Value.Undefined("the last element of nothing") : elements.getLast();
    }

    private Value reverse(Value input) {
        List<Value> reversed = sequences.elements(input).reversed();
        return input instanceof Text ? strings.join(Text.EMPTY, reversed) : new Value.Generator(reversed);
    }

    private Value unique(Value input) {
        List<Value> kept = new ArrayList<>();
        for (Value value : sequences.elements(input)) {
            Value key = sortKey(value, false);
            if (kept.stream().noneMatch(other -> expressions.operators().areEqual(sortKey(other, false), key))) {
                kept.add(value);
            }
        }
        return new Value.Generator(kept);
    }

    private static Value otherwise(Value input, Arguments arguments) {
        boolean absent =
                input instanceof Value.Undefined || (arguments.flag(1, "boolean", false) && !Operators.isTrue(input));
        return absent ? arguments.get(0, "default_value", Text.EMPTY) : input;
    }

    private static Value integer(Value input, Arguments arguments) {
        Value otherwise = arguments.get(0, "default", Value.Int.of(0));
        return switch (input) {
            case Value.Int number -> number;
            case Value.Bool bool -> Value.Int.of(bool.value() ? 1 : 0);
            case Value.Real real ->
                Double.isFinite(real.value()) ? new Value.Int(new BigDecimal(real.value()).toBigInteger()) : otherwise;
            case Value.Undefined undefined -> throw undefined.error();
            case Text text -> {
                BigInteger parsed = parse(text.value(), arguments.integer(1, "base", 10));
                yield parsed == null ? otherwise : new Value.Int(parsed);
            }
            default -> otherwise;
        };
    }

    @Nullable
    private static BigInteger parse(String written, int base) {
        String text = written.strip();
        if (text.length() > 300 || base < 2 || base > 36) {
            return null;
        }
        try {
            return new BigInteger(text.replace("_", ""), base);
        } catch (NumberFormatException notWhole) {
            try {
                double real = Double.parseDouble(text);
                return Double.isFinite(real) ? new BigDecimal(real).toBigInteger() : null;
            } catch (NumberFormatException notNumber) {
                return null;
            }
        }
    }

    private Value map(Value input, Arguments arguments) {
        Value attribute = arguments.named().get("attribute");
        List<Value> mapped = new ArrayList<>();
        for (Value value : elementsIfAny(input)) {
            if (attribute == null) {
                Arguments rest = rest(arguments, 1);
                mapped.add(apply(arguments.text(0, "filter").value(), value, rest));
            } else {
                Value found = attribute(value, attribute);
                mapped.add(found instanceof Value.Undefined ? arguments.named().getOrDefault("default", found) : found);
            }
        }
        return new Value.Generator(mapped);
    }

    /// `map` and `select` look into a value only if it is true, so that None is as good as an empty list.
    private List<Value> elementsIfAny(Value input) {
        return Operators.isTrue(input) ? sequences.elements(input) : List.of();
    }

    private static Arguments rest(Arguments arguments, int skipped) {
        List<Value> positional = arguments.positional();
        return new Arguments(
                arguments.of(), positional.subList(Math.min(skipped, positional.size()), positional.size()), Map.of());
    }

    /// The elements whose own value (or attribute) is true, or passes the test that is named.
    private Value select(Value input, Arguments arguments, boolean byAttribute, boolean wanted) {
        int skipped = byAttribute ? 1 : 0;
        Value test = arguments.find(skipped, "test");
        List<Value> kept = new ArrayList<>();
        for (Value value : elementsIfAny(input)) {
            Value examined = byAttribute ? attribute(value, arguments.get(0, "attribute")) : value;
            boolean passes = test == null
                    ? Operators.isTrue(examined)
                    : expressions.tests().apply(text(test).value(), examined, rest(arguments, skipped + 1));
            if (passes == wanted) {
                kept.add(value);
            }
        }
        return new Value.Generator(kept);
    }

    /// `a.b.0` of a value, each part looked up as a key.
    private Value attribute(Value value, Value path) {
        if (!(path instanceof Text text)) {
            return expressions.index(value, path);
        }
        Value found = value;
        for (String part : text.value().split("\\.", -1)) {
            boolean number =
                    !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            found = expressions.index(found, number ? Value.Int.of(Long.parseLong(part)) : Text.literal(part));
        }
        return found;
    }
}
