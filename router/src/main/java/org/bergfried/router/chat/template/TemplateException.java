package org.bergfried.router.chat.template;

/// A template could not be read, or a rendering ended early. [ChatTemplate] turns it into the error that callers see.
final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// What went wrong, seen by whom can change it.
    enum Kind {
        /// The template uses what this interpreter does not provide: the model cannot be served.
        UNSUPPORTED,
        /// The template rejects this conversation, or cannot work on its values.
        REFUSED,
        /// The rendering reached a limit.
        LIMIT
    }

    private final Kind kind;

    private TemplateException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    static TemplateException unsupported(int line, String message) {
        return new TemplateException(Kind.UNSUPPORTED, "line " + line + ": " + message);
    }

    static TemplateException unsupported(String message) {
        return new TemplateException(Kind.UNSUPPORTED, message);
    }

    static TemplateException refused(String message) {
        return new TemplateException(Kind.REFUSED, message);
    }

    static TemplateException limit(String message) {
        return new TemplateException(Kind.LIMIT, message);
    }

    /// The same error, with the line of the template that was running.
    TemplateException at(int line) {
        String message = String.valueOf(getMessage());
        return message.startsWith("line ") ? this : new TemplateException(kind, "line " + line + ": " + message);
    }

    Kind kind() {
        return kind;
    }
}
