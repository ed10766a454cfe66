package org.bergfried.router.chat.template;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A value that a template computes with, as Python has them. [Text] is the string.
sealed interface Value
        permits Text,
                Value.Undefined,
                Value.None,
                Value.Bool,
                Value.Int,
                Value.Real,
                Value.Items,
                Value.Generator,
                Value.Mapping,
                Value.Namespace,
                Value.Loop,
                Value.Callable {
    /// A name or an element that is not there: false, empty, and an error as soon as something is asked of it.
    record Undefined(String what) implements Value {
        TemplateException error() {
            return TemplateException.refused(what + " is undefined");
        }
    }

    /// Python's None, which prints as `None`.
    record None() implements Value {}

    /// True or false, also a number as in Python.
    record Bool(boolean value) implements Value {}

    /// A whole number; the size is bounded by [Operators].
    record Int(BigInteger value) implements Value {
        static Int of(long value) {
            return new Int(BigInteger.valueOf(value));
        }
    }

    /// A float.
    record Real(double value) implements Value {}

    /// A sequence whose elements are known.
    record Items(Kind kind, List<Value> elements) implements Value {
        /// How Python calls the sequence, which decides what may be done with it.
        enum Kind {
            LIST,
            TUPLE,
            RANGE,
            VIEW
        }

        static Items list(List<Value> elements) {
            return new Items(Kind.LIST, elements);
        }

        static Items tuple(List<Value> elements) {
            return new Items(Kind.TUPLE, elements);
        }

        boolean isIndexed() {
            return kind != Kind.VIEW;
        }
    }

    /// What filters such as `map` and `select` give: it can be walked once, has no length and no JSON form.
    final class Generator implements Value {
        private List<Value> elements;

        Generator(List<Value> elements) {
            this.elements = elements;
        }

        List<Value> take() {
            List<Value> taken = elements;
            elements = List.of();
            return taken;
        }
    }

    /// A dict, in order of insertion.
    record Mapping(Map<Value, Value> entries) implements Value {}

    /// The one thing that a template may change: `namespace()`.
    record Namespace(LinkedHashMap<String, Value> attributes) implements Value {}

    /// The variable `loop` in the body of a `for`.
    record Loop(List<Value> elements, int index0) implements Value {
        @Nullable
        Value attribute(String name) {
            int length = elements.size();
            return switch (name) {
                case "index0" -> Int.of(index0);
                case "index" -> Int.of(index0 + 1L);
                case "revindex0" -> Int.of(length - 1L - index0);
                case "revindex" -> Int.of((long) length - index0);
                case "first" -> new Bool(index0 == 0);
                case "last" -> new Bool(index0 == length - 1);
                case "length" -> Int.of(length);
                case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : elements.get(index0 - 1);
                case "nextitem" ->
                    index0 == length - 1 ? new Undefined("there is no next item") : elements.get(index0 + 1);
                default -> null;
            };
        }
    }

    /// A function, a method bound to its value, or a macro.
    non-sealed interface Callable extends Value {
        Value call(Arguments arguments);
    }

    None NONE = new None();
    Bool TRUE = new Bool(true);
    Bool FALSE = new Bool(false);

    static Bool of(boolean value) {
        return value ? TRUE : FALSE;
    }
}
