package org.bergfried.router.chat.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Turns trees as a JSON reader gives them into values. All their strings are data.
final class Values {
    private final Budget budget;

    Values(Budget budget) {
        this.budget = budget;
    }

    Value of(@Nullable Object tree) {
        budget.enter();
        Value value = switch (tree) {
            case null -> Value.NONE;
            case String text -> Text.data(text);
            case Boolean bool -> Value.of(bool);
            case Integer number -> Value.Int.of(number);
            case Long number -> Value.Int.of(number);
            case BigInteger number -> new Value.Int(number);
            case Number number -> new Value.Real(number.doubleValue());
            case List<?> list -> list(list);
            case Map<?, ?> map -> map(map);
            default -> throw new IllegalArgumentException("no value for a " + tree.getClass());
        };
        budget.leave();
        return value;
    }

    private Value list(List<?> list) {
        List<Value> elements = new ArrayList<>(list.size());
        for (Object element : list) {
            elements.add(of(element));
        }
        return Value.Items.list(elements);
    }

    private Value map(Map<?, ?> map) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            entries.put(Operators.key(of(entry.getKey())), of(entry.getValue()));
        }
        return new Value.Mapping(entries);
    }
}
