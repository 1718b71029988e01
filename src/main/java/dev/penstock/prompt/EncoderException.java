package dev.penstock.prompt;

import dev.penstock.model.GenerationEvent.Cause;

/** Inputs could not be encoded. */
public final class EncoderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Cause kind;

    /** For a cause, which decides the status code, with a message for the caller. */
    public EncoderException(Cause kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** What kind of failure it is. */
    public Cause kind() {
        return kind;
    }
}
