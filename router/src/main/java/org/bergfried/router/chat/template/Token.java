package org.bergfried.router.chat.template;

/// One word of a template's source.
///
/// @param type what it is
/// @param text a string's value without quotes, otherwise as written
/// @param line from 1
record Token(Type type, String text, int line) {
    enum Type {
        DATA,
        PRINT_BEGIN,
        PRINT_END,
        TAG_BEGIN,
        TAG_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Type other) {
        return type == other;
    }

    boolean isName(String name) {
        return type == Type.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return type == Type.OPERATOR && text.equals(operator);
    }

    @Override
    public String toString() {
        return switch (type) {
            case END -> "the end of the template";
            case DATA -> "text";
            case PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, NAME, STRING, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
        };
    }
}
