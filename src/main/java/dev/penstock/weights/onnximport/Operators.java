package dev.penstock.weights.onnximport;

/** Domains of operators. */
final class Operators {
    /** Operators of ONNX Runtime (ContribOperators.md in its documentation). */
    static final String MICROSOFT = "com.microsoft";

    private Operators() {}

    /** Whether a domain is that of the ONNX standard, which has two names. */
    static boolean isStandard(String domain) {
        return domain.isEmpty() || domain.equals("ai.onnx");
    }
}
