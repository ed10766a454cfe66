package org.bergfried.router.chat.template;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The functions that every template may call.
final class Functions {
    private Functions() {}

    /// Puts them into the outermost scope.
    static void define(Scope scope, Budget budget, LocalDateTime now) {
        scope.set("namespace", (Value.Callable) Functions::namespace);
        scope.set("dict", (Value.Callable) arguments -> {
            Map<Value, Value> entries = new LinkedHashMap<>();
            arguments.expect(arguments.named().keySet().toArray(String[]::new));
            arguments.named().forEach((name, value) -> entries.put(Text.literal(name), value));
            return new Value.Mapping(entries);
        });
        scope.set("range", (Value.Callable) arguments -> range(arguments, budget));
        scope.set("raise_exception", (Value.Callable) arguments -> {
            Value message = arguments.expect("message").get(0, "message");
            throw TemplateException.refused(withoutData(PythonText.str(message, budget)));
        });
        scope.set("strftime_now", (Value.Callable) arguments -> Text.data(
                Strftime.format(arguments.expect("format").text(0, "format").value(), now)));
    }

    /// Errors are logged and must not contain what a client wrote: each run of data becomes an ellipsis.
    private static String withoutData(Text message) {
        StringBuilder shown = new StringBuilder();
        for (int from = 0; from < message.length(); from = message.runEnd(from)) {
            shown.append(message.literalAt(from) ? message.value().substring(from, message.runEnd(from)) : "\u2026");
        }
        return shown.toString();
    }

    private static Value namespace(Arguments arguments) {
        LinkedHashMap<String, Value> attributes = new LinkedHashMap<>();
        for (Value value : arguments.positional()) {
            if (!(value instanceof Value.Mapping mapping)) {
                throw TemplateException.refused("namespace needs a dict, not a " + PythonText.typeName(value));
            }
            mapping.entries().forEach((key, member) -> {
                if (key instanceof Text name) {
                    attributes.put(name.value(), member);
                }
            });
        }
        attributes.putAll(arguments.named());
        return new Value.Namespace(attributes);
    }

    private static Value range(Arguments arguments, Budget budget) {
        int count = arguments.expect("start", "stop", "step").count();
        int first = arguments.integer(0, "start", 0);
        int start = count > 1 ? first : 0;
        int stop = count > 1 ? arguments.integer(1, "stop", 0) : first;
        int step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw TemplateException.refused("range: the step is zero");
        }
        long span = step > 0 ? (long) stop - start : (long) start - stop;
        long stride = Math.abs((long) step);
        long length = span <= 0 ? 0 : (span + stride - 1) / stride;
        budget.pay(length);
        List<Value> numbers = new ArrayList<>();
        for (long i = 0; i < length; i++) {
            numbers.add(Value.Int.of(start + i * step));
        }
        return new Value.Items(Value.Items.Kind.RANGE, numbers);
    }
}
