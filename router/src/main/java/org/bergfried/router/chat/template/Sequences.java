package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Walking, measuring, indexing and slicing of what holds several elements.
final class Sequences {
    private final Budget budget;

    Sequences(Budget budget) {
        this.budget = budget;
    }

    /// The elements that a `for` would see.
    List<Value> elements(Value value) {
        List<Value> elements = switch (value) {
            case Value.Items items -> items.elements();
            case Value.Generator generator -> generator.take();
            case Value.Mapping mapping -> List.copyOf(mapping.entries().keySet());
            case Text text -> characters(text);
            case Value.Undefined _ -> List.of();
            case Value.None _,
                    Value.Bool _,
                    Value.Int _,
                    Value.Real _,
                    Value.Namespace _,
                    Value.Loop _,
                    Value.Callable _ ->
                throw TemplateException.refused("a " + PythonText.typeName(value) + " is not iterable");
        };
        budget.pay(elements.size());
        return elements;
    }

    private List<Value> characters(Text text) {
        budget.pay(text.length());
        List<Value> characters = new ArrayList<>();
        for (int i = 0; i < text.length(); ) {
            int end = i + Character.charCount(text.value().codePointAt(i));
            characters.add(text.slice(i, end));
            i = end;
        }
        return characters;
    }

    int length(Value value) {
        return switch (value) {
            case Value.Items items -> items.elements().size();
            case Value.Mapping mapping -> mapping.entries().size();
            case Text text -> text.codePointCount();
            case Value.Loop loop -> loop.elements().size();
            case Value.Undefined _ -> 0;
            case Value.None _,
                    Value.Bool _,
                    Value.Int _,
                    Value.Real _,
                    Value.Generator _,
                    Value.Namespace _,
                    Value.Callable _ ->
                throw TemplateException.refused("a " + PythonText.typeName(value) + " has no length");
        };
    }

    /// The element at a position, counted from the end if negative; null if there is none.
    @Nullable
    Value at(Value value, int index) {
        return switch (value) {
            case Value.Items items
            when items.isIndexed() -> {
                int position = index < 0 ? index + items.elements().size() : index;
                yield position >= 0 && position < items.elements().size()
                        ? items.elements().get(position)
                        : null;
            }
            case Text text -> {
                budget.pay(1 + text.length() / 16);
                int count = text.codePointCount();
                int position = index < 0 ? index + count : index;
                yield position >= 0 && position < count ? character(text, position) : null;
            }
            default -> null;
        };
    }

    private static Text character(Text text, int position) {
        int from = text.value().offsetByCodePoints(0, position);
        return text.slice(from, text.value().offsetByCodePoints(from, 1));
    }

    Value slice(Value value, @Nullable Value from, @Nullable Value to, @Nullable Value stepValue) {
        int step =
                stepValue == null || stepValue instanceof Value.None ? 1 : Operators.toInt(stepValue, "a slice's step");
        if (step == 0) {
            throw TemplateException.refused("a slice's step is zero");
        }
        return switch (value) {
            case Text text -> slice(text, from, to, step);
            case Value.Items items
            when items.isIndexed() -> {
                List<Value> elements = new ArrayList<>();
                for (int i : positions(items.elements().size(), from, to, step)) {
                    elements.add(items.elements().get(i));
                }
                yield new Value.Items(items.kind(), elements);
            }
            case Value.Undefined undefined -> throw undefined.error();
            default -> throw TemplateException.refused("a " + PythonText.typeName(value) + " cannot be sliced");
        };
    }

    private Text slice(Text text, @Nullable Value from, @Nullable Value to, int step) {
        budget.payChars(text.length());
        int count = text.codePointCount();
        if (step == 1) {
            int first = bound(from, 0, count, 0, count);
            int end = Math.max(first, bound(to, count, count, 0, count));
            int start = text.value().offsetByCodePoints(0, first);
            return text.slice(start, text.value().offsetByCodePoints(start, end - first));
        }
        int[] offsets = new int[count + 1];
        for (int i = 0; i < count; i++) {
            offsets[i + 1] = text.value().offsetByCodePoints(offsets[i], 1);
        }
        Text.Builder builder = new Text.Builder();
        for (int i : positions(count, from, to, step)) {
            builder.append(text, offsets[i], offsets[i + 1]);
        }
        return builder.build();
    }

    private int[] positions(int length, @Nullable Value from, @Nullable Value to, int step) {
        int low = step > 0 ? 0 : -1;
        int high = step > 0 ? length : length - 1;
        int first = bound(from, step > 0 ? low : high, length, low, high);
        int end = bound(to, step > 0 ? high : low, length, low, high);
        long span = step > 0 ? (long) end - first : (long) first - end;
        long stride = Math.abs((long) step);
        int count = span <= 0 ? 0 : Math.toIntExact((span + stride - 1) / stride);
        budget.pay(count);
        int[] positions = new int[count];
        for (int i = 0; i < count; i++) {
            positions[i] = Math.toIntExact(first + (long) i * step);
        }
        return positions;
    }

    private static int bound(@Nullable Value value, int otherwise, int length, int low, int high) {
        if (value == null || value instanceof Value.None) {
            return otherwise;
        }
        int index = Operators.toInt(value, "a slice's bound");
        long position = index < 0 ? (long) index + length : index;
        return Math.clamp(position, low, high);
    }
}
