package org.bergfried.router.chat.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Cuts a template's source into tokens, and does what Jinja does to the whitespace around its tags with `trim_blocks`
/// and
/// `lstrip_blocks` on: that is how chat templates are rendered.
final class Lexer {
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ":", "|", ",", ";",
            "(", ")", "[", "]", "{", "}");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    // True where a line of the source begins: there, blanks before a tag may go.
    private boolean atLineStart = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String source) {
        String text = source.replace("\r\n", "\n").replace('\r', '\n');
        return new Lexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text).run();
    }

    private List<Token> run() {
        while (at < source.length()) {
            int open = nextOpening();
            if (open < 0) {
                add(Token.Type.DATA, source.substring(at));
                at = source.length();
                break;
            }
            char kind = source.charAt(open + 1);
            char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
            String data = trimmedBefore(source.substring(at, open), kind, sign);
            if (!data.isEmpty()) {
                add(Token.Type.DATA, data);
            }
            move(open + 2 + (sign == '-' || sign == '+' ? 1 : 0));
            switch (kind) {
                case '#' -> comment();
                case '%' -> inside(Token.Type.TAG_BEGIN, Token.Type.TAG_END, "%}");
                default -> inside(Token.Type.PRINT_BEGIN, Token.Type.PRINT_END, "}}");
            }
        }
        add(Token.Type.END, "");
        return tokens;
    }

    private int nextOpening() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char next = source.charAt(i + 1);
            if (next == '{' || next == '%' || next == '#') {
                return i;
            }
        }
        return -1;
    }

    private String trimmedBefore(String data, char kind, char sign) {
        if (sign == '-') {
            return Text.data(data).strip(false, true, PythonText.WHITESPACE).value();
        }
        if (sign == '+' || kind == '{') {
            return data;
        }
        int lineStart = data.lastIndexOf('\n') + 1;
        boolean beginsLine = lineStart > 0 || atLineStart;
        boolean blank = Text.data(data.substring(lineStart))
                .strip(true, false, PythonText.WHITESPACE)
                .isEmpty();
        return beginsLine && blank ? data.substring(0, lineStart) : data;
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw TemplateException.unsupported(line, "a comment has no end");
        }
        char sign = end > at ? source.charAt(end - 1) : ' ';
        move(end);
        close("#}", sign);
    }

    /// Skips the closing mark and the whitespace that goes with it.
    private void close(String mark, char sign) {
        int end = at + mark.length();
        if (sign == '-') {
            while (end < source.length() && PythonText.WHITESPACE.indexOf(source.charAt(end)) >= 0) {
                end++;
            }
        } else if (sign != '+' && !mark.equals("}}") && end < source.length() && source.charAt(end) == '\n') {
            end++;
        }
        atLineStart = source.charAt(end - 1) == '\n';
        move(end);
    }

    private void inside(Token.Type begin, Token.Type end, String mark) {
        add(begin, begin == Token.Type.TAG_BEGIN ? "{%" : "{{");
        Deque<Character> brackets = new ArrayDeque<>();
        while (true) {
            skipWhitespace();
            if (at >= source.length()) {
                throw TemplateException.unsupported(line, "'" + mark + "' is missing at the end of the template");
            }
            if (brackets.isEmpty()) {
                char sign = source.charAt(at);
                boolean signed =
                        (sign == '-' || (sign == '+' && end == Token.Type.TAG_END)) && source.startsWith(mark, at + 1);
                if (signed || source.startsWith(mark, at)) {
                    add(end, mark);
                    at += signed ? 1 : 0;
                    close(mark, signed ? sign : ' ');
                    return;
                }
            }
            word(brackets);
        }
    }

    private void skipWhitespace() {
        int end = at;
        while (end < source.length() && PythonText.WHITESPACE.indexOf(source.charAt(end)) >= 0) {
            end++;
        }
        move(end);
    }

    private void word(Deque<Character> brackets) {
        char first = source.charAt(at);
        if (first == '"' || first == '\'') {
            string(first);
        } else if (first >= '0' && first <= '9') {
            number();
        } else if (first == '_' || Character.isLetter(source.codePointAt(at))) {
            int end = at;
            while (end < source.length()
                    && (source.charAt(end) == '_' || Character.isLetterOrDigit(source.codePointAt(end)))) {
                end += Character.charCount(source.codePointAt(end));
            }
            add(Token.Type.NAME, source.substring(at, end));
            move(end);
        } else {
            operator(brackets);
        }
    }

    private void operator(Deque<Character> brackets) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                balance(brackets, operator.charAt(0));
                add(Token.Type.OPERATOR, operator);
                move(at + operator.length());
                return;
            }
        }
        throw TemplateException.unsupported(line, "unexpected character '" + source.charAt(at) + "'");
    }

    private void balance(Deque<Character> brackets, char bracket) {
        switch (bracket) {
            case '(' -> brackets.push(')');
            case '[' -> brackets.push(']');
            case '{' -> brackets.push('}');
            case ')', ']', '}' -> {
                if (brackets.isEmpty() || brackets.pop() != bracket) {
                    throw TemplateException.unsupported(line, "unexpected '" + bracket + "'");
                }
            }
            default -> {}
        }
    }

    private void number() {
        int end = at;
        boolean real = false;
        while (end < source.length()) {
            char c = source.charAt(end);
            boolean exponent = (c == 'e' || c == 'E') && end > at && digitFollows(end + 1);
            boolean point = c == '.' && !real && end + 1 < source.length() && isDigit(source.charAt(end + 1));
            if (exponent) {
                end++;
            } else if (!isDigit(c) && c != '_' && !point) {
                break;
            }
            real |= exponent || point;
            end++;
        }
        add(
                real ? Token.Type.FLOAT : Token.Type.INTEGER,
                source.substring(at, end).replace("_", ""));
        move(end);
    }

    private boolean digitFollows(int index) {
        int digit = index < source.length() && "+-".indexOf(source.charAt(index)) >= 0 ? index + 1 : index;
        return digit < source.length() && isDigit(source.charAt(digit));
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private void string(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw TemplateException.unsupported(line, "a string has no end");
        }
        add(Token.Type.STRING, Escapes.decode(source.substring(at + 1, end), line));
        move(end + 1);
    }

    private void add(Token.Type type, String text) {
        tokens.add(new Token(type, text, line));
    }

    private void move(int to) {
        for (int i = at; i < to; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
        at = to;
    }
}
