package dev.penstock.onnx.experts;

import dev.penstock.onnx.parallel.Workers;

/** The weights of a layer's experts: a product reads those of one expert and no others. */
public interface ExpertMatrices {
    /** Which of an expert's matrices. */
    enum Kind {
        /** [inner, hidden]. */
        GATE,
        /** [inner, hidden]. */
        UP,
        /** [hidden, inner]. */
        DOWN
    }

    /**
     * Multiplies rows by the transpose of a matrix.
     *
     * @param input address of rows of floats, [rows, columns of the matrix]
     * @param output address of room for [rows, rows of the matrix]
     */
    void multiply(Kind kind, int expert, long input, int rows, long output, Workers workers);
}
