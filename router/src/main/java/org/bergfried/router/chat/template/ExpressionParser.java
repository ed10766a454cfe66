package org.bergfried.router.chat.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads expressions by recursive descent: one method for each level of precedence, loosest first.
final class ExpressionParser {
    /// A template is a stranger's text: nesting in the source ends here, before the stack does.
    private static final int DEPTH_MAX = 200;

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> NOT_AN_ARGUMENT = Set.of("else", "or", "and", "if", "in", "not");

    private final TokenReader reader;
    private int depth;

    ExpressionParser(TokenReader reader) {
        this.reader = reader;
    }

    /// An expression, or several with commas between them, which make a tuple.
    Expr tuple() {
        Expr first = expression();
        return reader.peek().isOperator(",") ? restOfTuple(first) : first;
    }

    /// What a `for` walks: no bare conditional, because `if` starts the loop's filter.
    Expr iterated() {
        Expr first = or();
        return reader.peek().isOperator(",") ? restOfTuple(first) : first;
    }

    private Expr restOfTuple(Expr first) {
        List<Expr> elements = new ArrayList<>(List.of(first));
        while (reader.takeOperator(",")) {
            if (endsTuple(reader.peek())) {
                break;
            }
            elements.add(expression());
        }
        return new Expr.TupleOf(elements);
    }

    private static boolean endsTuple(Token token) {
        return token.is(Token.Type.TAG_END) || token.is(Token.Type.PRINT_END) || token.isOperator(")");
    }

    Expr expression() {
        enter();
        Expr value = or();
        while (reader.takeName("if")) {
            Expr condition = or();
            Expr otherwise = reader.takeName("else") ? expression() : null;
            value = new Expr.Conditional(condition, value, otherwise);
        }
        depth--;
        return value;
    }

    private void enter() {
        if (++depth > DEPTH_MAX) {
            throw reader.error("an expression is nested more than " + DEPTH_MAX + " levels deep");
        }
    }

    private Expr or() {
        Expr left = and();
        while (reader.takeName("or")) {
            left = new Expr.Or(left, and());
        }
        return left;
    }

    private Expr and() {
        Expr left = not();
        while (reader.takeName("and")) {
            left = new Expr.And(left, not());
        }
        return left;
    }

    private Expr not() {
        if (!reader.takeName("not")) {
            return comparison();
        }
        enter();
        Expr operand = not();
        depth--;
        return new Expr.Not(operand);
    }

    private Expr comparison() {
        Expr first = sum();
        List<Expr.Comparison> rest = new ArrayList<>();
        while (true) {
            Token token = reader.peek();
            if (token.is(Token.Type.OPERATOR) && COMPARISONS.contains(token.text())) {
                rest.add(new Expr.Comparison(reader.next().text(), sum()));
            } else if (token.isName("in")) {
                reader.next();
                rest.add(new Expr.Comparison("in", sum()));
            } else if (token.isName("not") && reader.peekSecond().isName("in")) {
                reader.next();
                reader.next();
                rest.add(new Expr.Comparison("not in", sum()));
            } else {
                return rest.isEmpty() ? first : new Expr.Compare(first, rest);
            }
        }
    }

    private Expr sum() {
        Expr left = concatenation();
        while (reader.peek().isOperator("+") || reader.peek().isOperator("-")) {
            left = new Expr.Binary(reader.next().text(), left, concatenation());
        }
        return left;
    }

    private Expr concatenation() {
        Expr left = product();
        while (reader.takeOperator("~")) {
            left = new Expr.Binary("~", left, product());
        }
        return left;
    }

    private Expr product() {
        Expr left = unary(true);
        while (reader.peek().is(Token.Type.OPERATOR)
                && Set.of("*", "/", "//", "%").contains(reader.peek().text())) {
            left = new Expr.Binary(reader.next().text(), left, unary(true));
        }
        return left;
    }

    private Expr unary(boolean withFilters) {
        Expr value;
        if (reader.peek().isOperator("-") || reader.peek().isOperator("+")) {
            enter();
            boolean negative = reader.next().isOperator("-");
            value = new Expr.Sign(unary(false), negative);
            depth--;
        } else {
            value = primary();
        }
        value = postfix(value);
        return withFilters ? filtersAndTests(value) : value;
    }

    private Expr primary() {
        Token token = reader.next();
        return switch (token.type()) {
            case NAME -> name(token.text());
            case STRING -> string(token);
            case INTEGER -> new Expr.Constant(new Value.Int(new BigInteger(token.text())));
            case FLOAT -> new Expr.Constant(new Value.Real(Double.parseDouble(token.text())));
            case OPERATOR -> bracketed(token);
            case DATA, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, END ->
                throw reader.errorAt(token, "an expression is expected before " + token);
        };
    }

    private static Expr name(String name) {
        return switch (name) {
            case "true", "True" -> new Expr.Constant(Value.TRUE);
            case "false", "False" -> new Expr.Constant(Value.FALSE);
            case "none", "None" -> new Expr.Constant(Value.NONE);
            default -> new Expr.Name(name);
        };
    }

    private Expr string(Token first) {
        StringBuilder text = new StringBuilder(first.text());
        while (reader.peek().is(Token.Type.STRING)) {
            text.append(reader.next().text());
        }
        return new Expr.Constant(Text.literal(text.toString()));
    }

    private Expr bracketed(Token open) {
        return switch (open.text()) {
            case "(" -> parenthesised();
            case "[" -> new Expr.ListOf(elements("]"));
            case "{" -> dict();
            default -> throw reader.errorAt(open, "an expression is expected before " + open);
        };
    }

    private Expr parenthesised() {
        if (reader.takeOperator(")")) {
            return new Expr.TupleOf(List.of());
        }
        Expr value = tuple();
        reader.expectOperator(")");
        return value;
    }

    private List<Expr> elements(String close) {
        List<Expr> elements = new ArrayList<>();
        while (!reader.takeOperator(close)) {
            elements.add(expression());
            if (!reader.peek().isOperator(close)) {
                reader.expectOperator(",");
            }
        }
        return elements;
    }

    private Expr dict() {
        List<Expr> keys = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!reader.takeOperator("}")) {
            keys.add(expression());
            reader.expectOperator(":");
            values.add(expression());
            if (!reader.peek().isOperator("}")) {
                reader.expectOperator(",");
            }
        }
        return new Expr.DictOf(keys, values);
    }

    private Expr postfix(Expr target) {
        Expr value = target;
        while (true) {
            if (reader.takeOperator(".")) {
                Token member = reader.next();
                value = switch (member.type()) {
                    case NAME -> new Expr.Attribute(value, member.text());
                    case INTEGER ->
                        new Expr.Index(value, new Expr.Constant(new Value.Int(new BigInteger(member.text()))));
                    case DATA, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, STRING, FLOAT, OPERATOR, END ->
                        throw reader.errorAt(member, "a name is expected after '.', not " + member);
                };
            } else if (reader.takeOperator("[")) {
                value = index(value);
            } else if (reader.takeOperator("(")) {
                value = new Expr.Call(value, passed());
            } else {
                return value;
            }
        }
    }

    private Expr index(Expr target) {
        Expr from = reader.peek().isOperator(":") ? null : expression();
        if (from != null && reader.takeOperator("]")) {
            return new Expr.Index(target, from);
        }
        reader.expectOperator(":");
        Expr to = sliceEnd();
        Expr step = reader.takeOperator(":") ? sliceEnd() : null;
        reader.expectOperator("]");
        return new Expr.Slice(target, from, to, step);
    }

    @Nullable
    private Expr sliceEnd() {
        return reader.peek().isOperator(":") || reader.peek().isOperator("]") ? null : expression();
    }

    /// The arguments of a call, whose opening bracket has been read.
    private Expr.Passed passed() {
        List<Expr> positional = new ArrayList<>();
        Map<String, Expr> named = new LinkedHashMap<>();
        while (!reader.takeOperator(")")) {
            if (reader.peek().is(Token.Type.NAME) && reader.peekSecond().isOperator("=")) {
                String name = reader.next().text();
                reader.next();
                named.put(name, expression());
            } else if (named.isEmpty()) {
                positional.add(expression());
            } else {
                throw reader.error("an argument without a name follows one with a name");
            }
            if (!reader.peek().isOperator(")")) {
                reader.expectOperator(",");
            }
        }
        return new Expr.Passed(positional, named);
    }

    private Expr filtersAndTests(Expr input) {
        Expr value = input;
        while (true) {
            if (reader.peek().isOperator("|")) {
                value = filter(value);
            } else if (reader.takeName("is")) {
                value = test(value);
            } else if (reader.takeOperator("(")) {
                value = new Expr.Call(value, passed());
            } else {
                return value;
            }
        }
    }

    /// One `| name(arguments)`.
    Expr.Filter filter(Expr input) {
        reader.expectOperator("|");
        String name = reader.expectName();
        return new Expr.Filter(input, name, reader.takeOperator("(") ? passed() : Expr.Passed.NOTHING);
    }

    private Expr test(Expr input) {
        boolean negated = reader.takeName("not");
        String name = reader.expectName();
        Token next = reader.peek();
        Expr.Passed passed = Expr.Passed.NOTHING;
        if (reader.takeOperator("(")) {
            passed = passed();
        } else if (next.isName("is")) {
            throw reader.error("a test follows a test");
        } else if (startsArgument(next)) {
            passed = new Expr.Passed(List.of(postfix(primary())), Map.of());
        }
        return new Expr.Test(input, name, passed, negated);
    }

    private static boolean startsArgument(Token token) {
        return switch (token.type()) {
            case NAME -> !NOT_AN_ARGUMENT.contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.isOperator("[") || token.isOperator("{");
            case DATA, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, END -> false;
        };
    }
}
