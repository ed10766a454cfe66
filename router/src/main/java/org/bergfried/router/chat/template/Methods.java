package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The methods of strings, dicts and lists. What would change a value is refused, as in Jinja's sandbox.
final class Methods {
    private static final Set<String> CHANGES_LIST =
            Set.of("append", "pop", "insert", "extend", "remove", "clear", "sort", "reverse");
    private static final Set<String> CHANGES_DICT = Set.of("pop", "popitem", "clear", "update", "setdefault");

    private final Budget budget;
    private final Sequences sequences;
    private final StringMethods strings;

    Methods(Budget budget, Sequences sequences) {
        this.budget = budget;
        this.sequences = sequences;
        this.strings = new StringMethods(budget, sequences);
    }

    /// The method of that name, bound to `target`; null if there is none.
    Value.@Nullable Callable find(Value target, String name) {
        return switch (target) {
            case Text text -> strings.find(text, name);
            case Value.Mapping mapping -> ofDict(mapping, name);
            case Value.Items items
            when items.kind() == Value.Items.Kind.LIST && CHANGES_LIST.contains(name) -> refusal("list", name);
            default -> null;
        };
    }

    private static Value.Callable refusal(String type, String name) {
        return _ -> {
            throw TemplateException.refused("the method '" + name + "' of a " + type + " is not allowed in a sandbox");
        };
    }

    private Value.@Nullable Callable ofDict(Value.Mapping mapping, String name) {
        Map<Value, Value> entries = mapping.entries();
        return switch (name) {
            case "items" ->
                arguments -> {
                    arguments.expect();
                    return new Value.Items(Value.Items.Kind.VIEW, pairs(mapping));
                };
            case "keys" ->
                arguments -> {
                    arguments.expect();
                    return new Value.Items(Value.Items.Kind.VIEW, sequences.elements(mapping));
                };
            case "values" ->
                arguments -> {
                    arguments.expect();
                    budget.pay(entries.size());
                    return new Value.Items(Value.Items.Kind.VIEW, List.copyOf(entries.values()));
                };
            case "get" ->
                arguments -> {
                    arguments.expect("key", "default");
                    Value found = entries.get(Operators.key(arguments.get(0, "key")));
                    return found != null ? found : arguments.get(1, "default", Value.NONE);
                };
            default -> CHANGES_DICT.contains(name) ? refusal("dict", name) : null;
        };
    }

    private List<Value> pairs(Value.Mapping mapping) {
        return pairs(mapping, budget);
    }

    /// The entries of a dict as tuples of two.
    static List<Value> pairs(Value.Mapping mapping, Budget budget) {
        budget.pay(2L * mapping.entries().size());
        List<Value> pairs = new ArrayList<>();
        mapping.entries().forEach((key, value) -> pairs.add(Value.Items.tuple(List.of(key, value))));
        return pairs;
    }
}
