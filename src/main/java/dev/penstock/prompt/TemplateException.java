package dev.penstock.prompt;

/** A chat template that can't be parsed or rendered; the message names the cause, line and column. */
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;
    private final int column;
    private final boolean raised;

    private TemplateException(String message, int line, int column, boolean raised) {
        super(message);
        this.line = line;
        this.column = column;
        this.raised = raised;
    }

    /** With what was wrong, of the template as a whole. */
    public TemplateException(String message) {
        this(message, 0, 0, false);
    }

    /** With what was wrong where; line and column count from 1, the column in UTF-16 units. */
    public TemplateException(String message, int line, int column) {
        this("chat template, line " + line + ", column " + column + ": " + message, line, column, false);
    }

    /** What the template itself objects to, by {@code raise_exception}; the message is the template's own. */
    public static TemplateException raised(String message, int line, int column) {
        return new TemplateException(message, line, column, true);
    }

    /** The line, from 1, or 0 if it is not about a place. */
    public int line() {
        return line;
    }

    /** The column, from 1, or 0 if it is not about a place. */
    public int column() {
        return column;
    }

    /**
     * Whether the template refused the conversation, such as roles that do not alternate: the caller's mistake then, and
     * the message is for them. Otherwise the template is at fault, or a message lacks what the template needs.
     */
    public boolean isRaisedByTemplate() {
        return raised;
    }
}
