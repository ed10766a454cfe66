package org.bergfried.router.chat.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The names that a piece of a template sees: its own, then those of what surrounds it.
final class Scope {
    @Nullable
    private final Scope outer;

    private final Map<String, Value> names = new HashMap<>();

    Scope(@Nullable Scope outer) {
        this.outer = outer;
    }

    void set(String name, Value value) {
        names.put(name, value);
    }

    Value get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            Value value = scope.names.get(name);
            if (value != null) {
                return value;
            }
        }
        return new Value.Undefined("'" + name + "'");
    }
}
