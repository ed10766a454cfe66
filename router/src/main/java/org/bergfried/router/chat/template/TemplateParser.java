package org.bergfried.router.chat.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads the statements of a template. A tag that is not provided is refused here, by its name, when the model is
/// loaded.
final class TemplateParser {
    private static final int DEPTH_MAX = 100;

    private final TokenReader reader;
    private final ExpressionParser expressions;
    private int depth;
    private int loopDepth;

    private TemplateParser(List<Token> tokens) {
        reader = new TokenReader(tokens);
        expressions = new ExpressionParser(reader);
    }

    static List<Stmt> parse(String source) {
        TemplateParser parser = new TemplateParser(Lexer.tokens(source));
        List<Stmt> body = parser.body(Set.of());
        if (!parser.reader.peek().is(Token.Type.END)) {
            throw parser.reader.error("unexpected tag " + parser.reader.peekSecond());
        }
        return body;
    }

    /// Statements up to a tag whose name is in `ends`; that tag's opening is left unread.
    private List<Stmt> body(Set<String> ends) {
        if (++depth > DEPTH_MAX) {
            throw reader.error("tags are nested more than " + DEPTH_MAX + " levels deep");
        }
        List<Stmt> body = new ArrayList<>();
        while (!reader.peek().is(Token.Type.END)) {
            Token token = reader.peek();
            if (token.is(Token.Type.TAG_BEGIN)
                    && ends.contains(reader.peekSecond().text())) {
                break;
            }
            reader.next();
            switch (token.type()) {
                case DATA -> body.add(new Stmt.Data(token.line(), Text.literal(token.text())));
                case PRINT_BEGIN -> {
                    body.add(new Stmt.Print(token.line(), expressions.tuple()));
                    reader.expect(Token.Type.PRINT_END, "'}}'");
                }
                case TAG_BEGIN -> body.add(tag());
                case PRINT_END, TAG_END, NAME, STRING, INTEGER, FLOAT, OPERATOR, END ->
                    throw reader.errorAt(token, "unexpected " + token);
            }
        }
        depth--;
        return body;
    }

    private Stmt tag() {
        Token name = reader.expect(Token.Type.NAME, "the name of a tag");
        int line = name.line();
        return switch (name.text()) {
            case "if" -> branches(line);
            case "for" -> loop(line);
            case "set" -> set(line);
            case "macro" -> macro(line);
            case "generation" -> {
                endOfTag();
                List<Stmt> body = body(Set.of("endgeneration"));
                close("endgeneration", line);
                yield new Stmt.Generation(line, body);
            }
            case "break", "continue" -> {
                if (loopDepth == 0) {
                    throw reader.errorAt(name, "'" + name.text() + "' stands outside of a loop");
                }
                endOfTag();
                yield name.text().equals("break") ? new Stmt.Break(line) : new Stmt.Continue(line);
            }
            default -> throw reader.errorAt(name, "the tag '" + name.text() + "' is not supported");
        };
    }

    private void endOfTag() {
        reader.expect(Token.Type.TAG_END, "'%}'");
    }

    /// Reads `{% name %}`, which closes what was opened on `line`.
    private void close(String name, int line) {
        if (!reader.peek().is(Token.Type.TAG_BEGIN) || !reader.peekSecond().isName(name)) {
            throw reader.error("'" + name + "' is missing for the tag of line " + line);
        }
        reader.next();
        reader.next();
        endOfTag();
    }

    private boolean takeTag(String name) {
        boolean found =
                reader.peek().is(Token.Type.TAG_BEGIN) && reader.peekSecond().isName(name);
        if (found) {
            reader.next();
            reader.next();
        }
        return found;
    }

    private Stmt branches(int line) {
        List<Stmt.Branch> branches = new ArrayList<>();
        Set<String> ends = Set.of("elif", "else", "endif");
        do {
            Expr condition = expressions.tuple();
            endOfTag();
            branches.add(new Stmt.Branch(condition, body(ends)));
        } while (takeTag("elif"));
        List<Stmt> otherwise = otherwise("endif");
        close("endif", line);
        return new Stmt.If(line, branches, otherwise);
    }

    private List<Stmt> otherwise(String end) {
        if (!takeTag("else")) {
            return List.of();
        }
        endOfTag();
        return body(Set.of(end));
    }

    private Stmt loop(int line) {
        List<String> targets = names();
        if (!reader.takeName("in")) {
            throw reader.error("'in' is expected, not " + reader.peek());
        }
        Expr items = expressions.iterated();
        Expr condition = reader.takeName("if") ? expressions.expression() : null;
        if (reader.peek().isName("recursive")) {
            throw reader.error("'recursive' is not supported");
        }
        endOfTag();
        loopDepth++;
        List<Stmt> body = body(Set.of("else", "endfor"));
        loopDepth--;
        List<Stmt> otherwise = otherwise("endfor");
        close("endfor", line);
        return new Stmt.For(line, targets, items, condition, body, otherwise);
    }

    private List<String> names() {
        boolean bracket = reader.takeOperator("(");
        List<String> names = new ArrayList<>();
        do {
            names.add(reader.expectName());
        } while (reader.takeOperator(",") && reader.peek().is(Token.Type.NAME));
        if (bracket) {
            reader.expectOperator(")");
        }
        return names;
    }

    private Stmt set(int line) {
        if (reader.peekSecond().isOperator(".")) {
            String namespace = reader.expectName();
            reader.next();
            String attribute = reader.expectName();
            reader.expectOperator("=");
            Expr value = expressions.tuple();
            endOfTag();
            return new Stmt.SetAttribute(line, namespace, attribute, value);
        }
        List<String> names = names();
        if (reader.takeOperator("=")) {
            Expr value = expressions.tuple();
            endOfTag();
            return new Stmt.SetNames(line, names, value);
        }
        List<Expr.Filter> filters = new ArrayList<>();
        while (reader.peek().isOperator("|")) {
            filters.add(expressions.filter(new Expr.Constant(Text.EMPTY)));
        }
        if (names.size() != 1) {
            throw reader.error("'=' is expected, not " + reader.peek());
        }
        endOfTag();
        List<Stmt> body = body(Set.of("endset"));
        close("endset", line);
        return new Stmt.SetBlock(line, names.getFirst(), filters, body);
    }

    private Stmt macro(int line) {
        String name = reader.expectName();
        reader.expectOperator("(");
        List<Stmt.Parameter> parameters = new ArrayList<>();
        while (!reader.takeOperator(")")) {
            String parameter = reader.expectName();
            parameters.add(new Stmt.Parameter(parameter, reader.takeOperator("=") ? expressions.expression() : null));
            if (!reader.peek().isOperator(")")) {
                reader.expectOperator(",");
            }
        }
        endOfTag();
        int outerLoops = loopDepth;
        loopDepth = 0;
        List<Stmt> body = body(Set.of("endmacro"));
        loopDepth = outerLoops;
        close("endmacro", line);
        return new Stmt.Macro(line, name, parameters, body);
    }
}
