package dev.penstock.weights;

import dev.penstock.weights.InitializerTable.Part;
import java.util.List;

/**
 * How matrices are stored in a variant, and the nodes that compute with them. A decoder's graph is the same in all
 * formats otherwise.
 */
interface MatrixFormat {
    /**
     * A matrix W of the model.
     *
     * @param name its name in the graph; the same matrix under the same name is stored once
     * @param parts the tensors whose rows it is made of
     * @param columns numbers of a row
     */
    record Matrix(String name, List<Part> parts, int columns) {
        /** Rows of all parts. */
        int rows() {
            return parts.stream().mapToInt(Part::rows).reduce(0, Math::addExact);
        }
    }

    /** The format of quantised matrices in a layout; {@code bits} is 4 or 8. */
    static MatrixFormat quantized(WeightLayout layout, int bits) {
        return switch (layout) {
            case STANDARD -> new BlockFormat(bits);
            case PACKED -> new PackedFormat(bits);
        };
    }

    /**
     * Adds the product of {@code x}, [n, columns], and the transpose of W.
     *
     * @param node name of the output, [n, rows]
     * @return {@code node}
     */
    String multiply(OnnxGraph graph, InitializerTable constants, String x, String node, Matrix matrix);

    /**
     * Adds a look-up of rows of W as floats.
     *
     * @param indices name of an int64 vector, [n]
     * @param node name of the output or a part of its name
     * @return name of the output, [n, columns]
     */
    String lookUp(OnnxGraph graph, InitializerTable constants, String indices, String node, Matrix matrix);
}
