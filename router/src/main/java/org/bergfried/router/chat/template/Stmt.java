package org.bergfried.router.chat.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A statement of a template.
sealed interface Stmt {
    /// The line of the source, from 1.
    int line();

    record Data(int line, Text text) implements Stmt {}

    record Print(int line, Expr value) implements Stmt {}

    record If(int line, List<Branch> branches, List<Stmt> otherwise) implements Stmt {}

    record For(
            int line,
            List<String> targets,
            Expr items,
            @Nullable Expr condition,
            List<Stmt> body,
            List<Stmt> otherwise) implements Stmt {}

    record SetNames(int line, List<String> names, Expr value) implements Stmt {}

    record SetAttribute(int line, String namespace, String attribute, Expr value) implements Stmt {}

    record SetBlock(int line, String name, List<Expr.Filter> filters, List<Stmt> body) implements Stmt {}

    record Macro(int line, String name, List<Parameter> parameters, List<Stmt> body) implements Stmt {}

    record Generation(int line, List<Stmt> body) implements Stmt {}

    record Break(int line) implements Stmt {}

    record Continue(int line) implements Stmt {}

    /// A condition of an `if` or `elif` and what it guards.
    record Branch(Expr condition, List<Stmt> body) {}

    /// A parameter of a macro.
    record Parameter(String name, @Nullable Expr otherwise) {}
}
