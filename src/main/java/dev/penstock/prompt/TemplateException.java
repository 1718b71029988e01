package dev.penstock.prompt;

/** A chat template that can't be parsed or rendered; the message names the cause, line and column. */
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what was wrong. */
    public TemplateException(String message) {
        super(message);
    }
}
