package dev.penstock.prompt.template;

/**
 * What went wrong in a template, before it is known where. {@link JinjaTemplate} adds line and column and passes it on as
 * {@link dev.penstock.prompt.TemplateException}.
 */
final class TemplateFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int at;
    private final boolean raised;

    private TemplateFault(String message, int at, boolean raised) {
        super(message, null, false, false);
        this.at = at;
        this.raised = raised;
    }

    /** A fault of the expression that is being worked on. */
    TemplateFault(String message) {
        this(message, -1, false);
    }

    /** A fault at a known place of the source. */
    TemplateFault(String message, int at) {
        this(message, at, false);
    }

    /** What the template itself objects to, by {@code raise_exception}. */
    static TemplateFault raised(String message) {
        return new TemplateFault(message, -1, true);
    }

    /** Place in the source, or negative if it is that of the expression being worked on. */
    int at() {
        return at;
    }

    boolean isRaised() {
        return raised;
    }
}
