package dev.penstock.weights;

/** What a gated MLP does to its gate. */
public enum Activation {
    /** {@code x * sigmoid(x)}. */
    SILU,
    /** GELU by its tanh approximation (Hendrycks and Gimpel 2016). */
    GELU_TANH
}
