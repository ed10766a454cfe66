package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Runs statements and collects their output.
final class Statements {
    /// How a list of statements ended.
    private enum Flow {
        NORMAL,
        BREAK,
        CONTINUE
    }

    private final Budget budget;
    private final Expressions expressions;

    Statements(Budget budget) {
        this.budget = budget;
        this.expressions = new Expressions(budget);
    }

    /// Runs a body and returns what it prints.
    Text render(List<Stmt> body, Scope scope) {
        Text.Builder out = new Text.Builder();
        run(body, scope, out);
        return out.build();
    }

    private Flow run(List<Stmt> body, Scope scope, Text.Builder out) {
        budget.enter();
        Flow flow = Flow.NORMAL;
        for (Stmt stmt : body) {
            try {
                flow = run(stmt, scope, out);
            } catch (TemplateException error) {
                throw error.at(stmt.line());
            }
            if (flow != Flow.NORMAL) {
                break;
            }
        }
        budget.leave();
        return flow;
    }

    private Flow run(Stmt stmt, Scope scope, Text.Builder out) {
        budget.pay(1);
        switch (stmt) {
            case Stmt.Data data -> print(data.text(), out);
            case Stmt.Print print -> print(PythonText.str(expressions.evaluate(print.value(), scope), budget), out);
            case Stmt.If branches -> {
                return run(chosen(branches, scope), scope, out);
            }
            case Stmt.For loop -> loop(loop, scope, out);
            case Stmt.SetNames set -> assign(set.names(), expressions.evaluate(set.value(), scope), scope);
            case Stmt.SetAttribute set -> setAttribute(set, scope);
            case Stmt.SetBlock set -> setBlock(set, scope);
            case Stmt.Macro macro ->
                scope.set(macro.name(), (Value.Callable) arguments -> callMacro(macro, arguments, scope));
            case Stmt.Generation generation -> run(generation.body(), new Scope(scope), out);
            case Stmt.Break _ -> {
                return Flow.BREAK;
            }
            case Stmt.Continue _ -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NORMAL;
    }

    private void print(Text text, Text.Builder out) {
        budget.payChars(text.length());
        budget.requireSize((long) out.length() + text.length());
        out.append(text);
    }

    private List<Stmt> chosen(Stmt.If branches, Scope scope) {
        for (Stmt.Branch branch : branches.branches()) {
            if (Operators.isTrue(expressions.evaluate(branch.condition(), scope))) {
                return branch.body();
            }
        }
        return branches.otherwise();
    }

    private void loop(Stmt.For loop, Scope scope, Text.Builder out) {
        List<Value> elements = expressions.sequences().elements(expressions.evaluate(loop.items(), scope));
        Expr condition = loop.condition();
        if (condition != null) {
            elements = filtered(loop, condition, elements, scope);
        }
        for (int i = 0; i < elements.size(); i++) {
            Scope inner = new Scope(scope);
            inner.set("loop", new Value.Loop(elements, i));
            assign(loop.targets(), elements.get(i), inner);
            if (run(loop.body(), inner, out) == Flow.BREAK) {
                break;
            }
        }
        if (elements.isEmpty()) {
            run(loop.otherwise(), new Scope(scope), out);
        }
    }

    private List<Value> filtered(Stmt.For loop, Expr condition, List<Value> elements, Scope scope) {
        List<Value> kept = new ArrayList<>();
        for (Value element : elements) {
            Scope inner = new Scope(scope);
            assign(loop.targets(), element, inner);
            if (Operators.isTrue(expressions.evaluate(condition, inner))) {
                kept.add(element);
            }
        }
        return kept;
    }

    private void assign(List<String> names, Value value, Scope scope) {
        if (names.size() == 1) {
            scope.set(names.getFirst(), value);
            return;
        }
        List<Value> parts = expressions.sequences().elements(value);
        if (parts.size() != names.size()) {
            throw TemplateException.refused(
                    parts.size() + " values cannot be assigned to the " + names.size() + " names " + names);
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.set(names.get(i), parts.get(i));
        }
    }

    private void setAttribute(Stmt.SetAttribute set, Scope scope) {
        if (!(scope.get(set.namespace()) instanceof Value.Namespace namespace)) {
            throw TemplateException.refused("'" + set.namespace() + "' is not a namespace");
        }
        namespace.attributes().put(set.attribute(), expressions.evaluate(set.value(), scope));
    }

    private void setBlock(Stmt.SetBlock set, Scope scope) {
        Value value = render(set.body(), new Scope(scope));
        for (Expr.Filter filter : set.filters()) {
            value = expressions.filter(filter, value, scope);
        }
        scope.set(set.name(), value);
    }

    private Value callMacro(Stmt.Macro macro, Arguments arguments, Scope definedIn) {
        List<Stmt.Parameter> parameters = macro.parameters();
        arguments.expect(parameters.stream().map(Stmt.Parameter::name).toArray(String[]::new));
        Scope scope = new Scope(definedIn);
        for (int i = 0; i < parameters.size(); i++) {
            Stmt.Parameter parameter = parameters.get(i);
            scope.set(parameter.name(), argument(parameter, arguments.find(i, parameter.name()), scope));
        }
        return render(macro.body(), scope);
    }

    private Value argument(Stmt.Parameter parameter, @Nullable Value given, Scope scope) {
        Expr otherwise = parameter.otherwise();
        if (given != null) {
            return given;
        }
        return otherwise != null
                ? expressions.evaluate(otherwise, scope)
                : new Value.Undefined("the parameter '" + parameter.name() + "'");
    }
}
