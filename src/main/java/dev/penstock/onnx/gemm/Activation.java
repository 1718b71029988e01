package dev.penstock.onnx.gemm;

/** What a gated MLP does to its gate x: {@code x * sigmoid(linear * x + cubic * x^3)}. */
public enum Activation {
    /** SiLU, x * sigmoid(x); Elfwing and others, arXiv:1702.03118. */
    SILU(1, 0),
    /** GELU by its tanh approximation, since (1 + tanh(z)) / 2 is sigmoid(2 z); Hendrycks and Gimpel, arXiv:1606.08415. */
    GELU_TANH(2 * Math.sqrt(2 / Math.PI), 2 * Math.sqrt(2 / Math.PI) * 0.044715);

    private final double linear;
    private final double cubic;

    Activation(double linear, double cubic) {
        this.linear = linear;
        this.cubic = cubic;
    }

    double linear() {
        return linear;
    }

    double cubic() {
        return cubic;
    }
}
