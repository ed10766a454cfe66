package org.bergfried.router.chat.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The evaluated arguments of a call of a function, method, filter, test or macro.
///
/// @param of what is called, for messages
/// @param positional by position
/// @param named by name, in the order of the call
record Arguments(String of, List<Value> positional, Map<String, Value> named) {
    /// Checks that nothing was given that `names` (in order of position) does not know.
    Arguments expect(String... names) {
        if (positional.size() > names.length) {
            throw TemplateException.refused(
                    of + " takes at most " + names.length + " arguments, not " + positional.size());
        }
        List<String> known = List.of(names);
        for (String name : named.keySet()) {
            if (!known.contains(name)) {
                throw TemplateException.refused(of + " has no argument '" + name + "'");
            }
        }
        return this;
    }

    int count() {
        return positional.size() + named.size();
    }

    @Nullable
    Value find(int position, String name) {
        return position < positional.size() ? positional.get(position) : named.get(name);
    }

    Value get(int position, String name) {
        Value value = find(position, name);
        if (value == null) {
            throw TemplateException.refused(of + " needs its argument '" + name + "'");
        }
        return value;
    }

    Value get(int position, String name, Value otherwise) {
        Value value = find(position, name);
        return value == null ? otherwise : value;
    }

    Text text(int position, String name) {
        return asText(get(position, name), name);
    }

    boolean flag(int position, String name, boolean otherwise) {
        Value value = find(position, name);
        return value == null ? otherwise : Operators.isTrue(value);
    }

    int integer(int position, String name, int otherwise) {
        Value value = find(position, name);
        return value == null ? otherwise : Operators.toInt(value, of + ", argument '" + name + "'");
    }

    private Text asText(Value value, String name) {
        if (value instanceof Text text) {
            return text;
        }
        throw TemplateException.refused(of + " needs a string as '" + name + "', not " + PythonText.typeName(value));
    }
}
