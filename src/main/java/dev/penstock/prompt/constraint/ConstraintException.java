package dev.penstock.prompt.constraint;

/** A constraint that can't be enforced, or that nothing satisfies; the message tells the caller what and where. */
public final class ConstraintException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what is wrong; for schemas it names keyword and place, such as {@code #/properties/a/not}. */
    public ConstraintException(String message) {
        super(message);
    }
}
