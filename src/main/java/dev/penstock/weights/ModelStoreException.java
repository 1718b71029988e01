package dev.penstock.weights;

/** The store can't be read or written; the message names the folder and what to do. */
public final class ModelStoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the whole message. */
    public ModelStoreException(String message) {
        super(message);
    }

    /** With the whole message, and its cause. */
    public ModelStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
