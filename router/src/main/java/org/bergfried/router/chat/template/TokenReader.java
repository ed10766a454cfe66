package org.bergfried.router.chat.template;

import java.util.List;

/// Walks over the tokens of a template with one token of look-ahead, rarely two.
final class TokenReader {
    private final List<Token> tokens;
    private int at;

    TokenReader(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean takeOperator(String operator) {
        boolean found = peek().isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    boolean takeName(String name) {
        boolean found = peek().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    void expectOperator(String operator) {
        if (!takeOperator(operator)) {
            throw error("'" + operator + "' is expected, not " + peek());
        }
    }

    String expectName() {
        return expect(Token.Type.NAME, "a name").text();
    }

    Token expect(Token.Type type, String what) {
        if (!peek().is(type)) {
            throw error(what + " is expected, not " + peek());
        }
        return next();
    }

    TemplateException error(String message) {
        return errorAt(peek(), message);
    }

    TemplateException errorAt(Token token, String message) {
        return TemplateException.unsupported(token.line(), message);
    }
}
