package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Evaluates expressions.
final class Expressions {
    private final Budget budget;
    private final Operators operators;
    private final Sequences sequences;
    private final Filters filters;
    private final Tests tests;
    private final Methods methods;

    Expressions(Budget budget) {
        this.budget = budget;
        this.operators = new Operators(budget);
        this.sequences = new Sequences(budget);
        this.tests = new Tests(operators);
        this.methods = new Methods(budget, sequences);
        this.filters = new Filters(budget, this);
    }

    Sequences sequences() {
        return sequences;
    }

    Operators operators() {
        return operators;
    }

    Tests tests() {
        return tests;
    }

    Value evaluate(Expr expr, Scope scope) {
        budget.enter();
        Value value = switch (expr) {
            case Expr.Constant constant -> constant.value();
            case Expr.Name name -> scope.get(name.name());
            case Expr.ListOf list -> Value.Items.list(all(list.elements(), scope));
            case Expr.TupleOf tuple -> Value.Items.tuple(all(tuple.elements(), scope));
            case Expr.DictOf dict -> dict(dict, scope);
            case Expr.Attribute attribute -> attribute(evaluate(attribute.target(), scope), attribute.name());
            case Expr.Index index -> index(evaluate(index.target(), scope), evaluate(index.index(), scope));
            case Expr.Slice slice -> slice(slice, scope);
            case Expr.Call call -> call(call, scope);
            case Expr.Filter filter -> filter(filter, evaluate(filter.input(), scope), scope);
            case Expr.Test test -> test(test, scope);
            case Expr.Not not -> Value.of(!Operators.isTrue(evaluate(not.operand(), scope)));
            case Expr.Sign sign -> Operators.sign(evaluate(sign.operand(), scope), sign.negative());
            case Expr.And and -> {
                Value left = evaluate(and.left(), scope);
                yield Operators.isTrue(left) ? evaluate(and.right(), scope) : left;
            }
            case Expr.Or or -> {
                Value left = evaluate(or.left(), scope);
                yield Operators.isTrue(left) ? left : evaluate(or.right(), scope);
            }
            case Expr.Binary binary ->
                operators.binary(binary.operator(), evaluate(binary.left(), scope), evaluate(binary.right(), scope));
            case Expr.Compare compare -> compare(compare, scope);
            case Expr.Conditional conditional -> conditional(conditional, scope);
        };
        budget.leave();
        return value;
    }

    private List<Value> all(List<Expr> exprs, Scope scope) {
        List<Value> values = new ArrayList<>(exprs.size());
        for (Expr expr : exprs) {
            values.add(evaluate(expr, scope));
        }
        return values;
    }

    private Value dict(Expr.DictOf dict, Scope scope) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        for (int i = 0; i < dict.keys().size(); i++) {
            Value key = Operators.key(evaluate(dict.keys().get(i), scope));
            entries.put(key, evaluate(dict.values().get(i), scope));
        }
        return new Value.Mapping(entries);
    }

    /// `target.name`: the method first, then the key.
    private Value attribute(Value target, String name) {
        if (target instanceof Value.Undefined undefined) {
            throw undefined.error();
        }
        Value method = methods.find(target, name);
        if (method != null) {
            return method;
        }
        Value element = element(target, Text.literal(name));
        return element != null ? element : missing(target, name);
    }

    /// `target[key]`: the key first, then the method. Also what `selectattr` and `map` look up.
    Value index(Value target, Value key) {
        if (target instanceof Value.Undefined undefined) {
            throw undefined.error();
        }
        Value element = element(target, key);
        if (element != null) {
            return element;
        }
        Value method = key instanceof Text name ? methods.find(target, name.value()) : null;
        return method != null
                ? method
                : missing(target, PythonText.str(key, budget).value());
    }

    private static Value missing(Value target, String name) {
        return new Value.Undefined("'" + name + "' of a " + PythonText.typeName(target));
    }

    @Nullable
    private Value element(Value target, Value key) {
        return switch (target) {
            case Value.Mapping mapping -> isKey(key) ? mapping.entries().get(Operators.key(key)) : null;
            case Value.Namespace namespace ->
                key instanceof Text name ? namespace.attributes().get(name.value()) : null;
            case Value.Loop loop -> key instanceof Text name ? loop.attribute(name.value()) : null;
            case Text _, Value.Items _ ->
                key instanceof Value.Int || key instanceof Value.Bool
                        ? sequences.at(target, Operators.toInt(key, "an index"))
                        : null;
            case Value.Undefined _,
                    Value.None _,
                    Value.Bool _,
                    Value.Int _,
                    Value.Real _,
                    Value.Generator _,
                    Value.Callable _ -> null;
        };
    }

    private static boolean isKey(Value key) {
        return !(key instanceof Value.Items || key instanceof Value.Mapping || key instanceof Value.Generator);
    }

    private Value slice(Expr.Slice slice, Scope scope) {
        Value target = evaluate(slice.target(), scope);
        return sequences.slice(
                target, optional(slice.from(), scope), optional(slice.to(), scope), optional(slice.step(), scope));
    }

    @Nullable
    private Value optional(@Nullable Expr expr, Scope scope) {
        return expr == null ? null : evaluate(expr, scope);
    }

    private Value call(Expr.Call call, Scope scope) {
        Value callee = evaluate(call.callee(), scope);
        return switch (callee) {
            case Value.Callable callable -> callable.call(arguments(nameOf(call.callee()), call.passed(), scope));
            case Value.Undefined undefined -> throw undefined.error();
            default -> throw TemplateException.refused("a " + PythonText.typeName(callee) + " cannot be called");
        };
    }

    private static String nameOf(Expr callee) {
        return switch (callee) {
            case Expr.Name name -> name.name();
            case Expr.Attribute attribute -> attribute.name();
            default -> "the function";
        };
    }

    private Arguments arguments(String of, Expr.Passed passed, Scope scope) {
        Map<String, Value> named = new LinkedHashMap<>();
        List<Value> positional = all(passed.positional(), scope);
        for (Map.Entry<String, Expr> entry : passed.named().entrySet()) {
            named.put(entry.getKey(), evaluate(entry.getValue(), scope));
        }
        return new Arguments(of, positional, named);
    }

    /// Runs one filter on a value that has been evaluated.
    Value filter(Expr.Filter filter, Value input, Scope scope) {
        return filters.apply(filter.name(), input, arguments(filter.name(), filter.passed(), scope));
    }

    private Value test(Expr.Test test, Scope scope) {
        Value input = evaluate(test.input(), scope);
        boolean passes = tests.apply(test.name(), input, arguments(test.name(), test.passed(), scope));
        return Value.of(passes != test.negated());
    }

    private Value compare(Expr.Compare compare, Scope scope) {
        Value left = evaluate(compare.first(), scope);
        for (Expr.Comparison link : compare.rest()) {
            Value right = evaluate(link.operand(), scope);
            if (!operators.compare(link.operator(), left, right)) {
                return Value.FALSE;
            }
            left = right;
        }
        return Value.TRUE;
    }

    private Value conditional(Expr.Conditional conditional, Scope scope) {
        if (Operators.isTrue(evaluate(conditional.condition(), scope))) {
            return evaluate(conditional.then(), scope);
        }
        Expr otherwise = conditional.otherwise();
        return otherwise == null
                ? new Value.Undefined("the value of an 'if' without 'else'")
                : evaluate(otherwise, scope);
    }
}
