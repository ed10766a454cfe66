package org.bergfried.router.chat.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An expression of a template.
sealed interface Expr {
    record Constant(Value value) implements Expr {}

    record Name(String name) implements Expr {}

    record ListOf(List<Expr> elements) implements Expr {}

    record TupleOf(List<Expr> elements) implements Expr {}

    record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

    record Attribute(Expr target, String name) implements Expr {}

    record Index(Expr target, Expr index) implements Expr {}

    record Slice(
            Expr target,
            @Nullable Expr from,
            @Nullable Expr to,
            @Nullable Expr step) implements Expr {}

    record Call(Expr callee, Passed passed) implements Expr {}

    record Filter(Expr input, String name, Passed passed) implements Expr {}

    record Test(Expr input, String name, Passed passed, boolean negated) implements Expr {}

    record Not(Expr operand) implements Expr {}

    record Sign(Expr operand, boolean negative) implements Expr {}

    record And(Expr left, Expr right) implements Expr {}

    record Or(Expr left, Expr right) implements Expr {}

    record Binary(String operator, Expr left, Expr right) implements Expr {}

    record Compare(Expr first, List<Comparison> rest) implements Expr {}

    record Conditional(Expr condition, Expr then, @Nullable Expr otherwise) implements Expr {}

    /// One link of a chain such as `a < b <= c`.
    record Comparison(String operator, Expr operand) {}

    /// Arguments as written.
    record Passed(List<Expr> positional, Map<String, Expr> named) {
        static final Passed NOTHING = new Passed(List.of(), Map.of());
    }
}
