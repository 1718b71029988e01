package dev.penstock.onnx;

/** ONNX Runtime refused a call; the message is its own. */
public final class OnnxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what went wrong. */
    public OnnxException(String message) {
        super(message);
    }

    /** With what went wrong, and its cause. */
    public OnnxException(String message, Throwable cause) {
        super(message, cause);
    }
}
