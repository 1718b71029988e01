package dev.penstock.engine;

/** A step of the graph failed; the message says where and why. */
public final class StepException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what went wrong. */
    public StepException(String message) {
        super(message);
    }

    /** With what went wrong, and its cause. */
    public StepException(String message, Throwable cause) {
        super(message, cause);
    }
}
