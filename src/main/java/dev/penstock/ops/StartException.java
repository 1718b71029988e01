package dev.penstock.ops;

/** The server can't start as it was told to; the message says what, why and what to do, in one line for the terminal. */
public final class StartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what was wrong. */
    public StartException(String message) {
        super(message);
    }

    /** With what was wrong, and where it came from. */
    public StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
