package dev.penstock.weights;

import dev.penstock.onnx.GraphContract;
import dev.penstock.weights.InitializerTable.Quantized;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Matrices in blocks of {@value BlockQuantizer#BLOCK} codes with a scale each, which has as many bits as the graph's
 * numbers, for com.microsoft.MatMulNBits and com.microsoft.GatherBlockQuantized.
 *
 * @param bits 4 or 8
 */
record BlockFormat(int bits) implements MatrixFormat {
    /** Activations are quantised to int8 as well: several times as fast as floats. */
    private static final int ACCURACY_LEVEL = 4;

    @Override
    public String multiply(OnnxGraph graph, InitializerTable constants, String x, String node, Matrix matrix) {
        Quantized weight = constants.quantized(matrix.name(), matrix.parts(), matrix.columns(), bits);
        return graph.node(
                OnnxGraph.MICROSOFT,
                "MatMulNBits",
                node,
                List.of(x, weight.codes(), weight.scales()),
                Map.of(
                        "K",
                        matrix.columns(),
                        "N",
                        matrix.rows(),
                        "bits",
                        bits,
                        "block_size",
                        BlockQuantizer.BLOCK,
                        "accuracy_level",
                        ACCURACY_LEVEL));
    }

    /**
     * {@inheritDoc}
     *
     * <p>This operator wants codes as [rows, bytes] where MatMulNBits wants [rows, blocks, bytes of a block]. Both are
     * the same bytes, so the table of a tied head is stored once, under two names. Rows that end in a padded block come
     * out padded, and are cut.
     */
    @Override
    public String lookUp(OnnxGraph graph, InitializerTable constants, String indices, String node, Matrix matrix) {
        Quantized weight = constants.quantized(matrix.name(), matrix.parts(), matrix.columns(), bits);
        int padded = BlockQuantizer.blocks(matrix.columns()) * BlockQuantizer.BLOCK;
        String codes = constants.alias(weight.codes(), matrix.name() + ".rows", matrix.rows(), padded * bits / 8);
        String rows = graph.node(
                OnnxGraph.MICROSOFT,
                "GatherBlockQuantized",
                node,
                List.of(codes, indices, weight.scales()),
                Map.of("bits", bits, "block_size", BlockQuantizer.BLOCK, "gather_axis", 0, "quantize_axis", 1));
        return padded == matrix.columns()
                ? rows
                : graph.node(
                        OnnxGraph.ONNX,
                        "Slice",
                        node + ".unpadded",
                        List.of(
                                rows,
                                constants.integers(node + ".start", 0),
                                constants.integers(node + ".end", matrix.columns()),
                                constants.integers(node + ".axis", 1)),
                        Map.of());
    }

    @Override
    public String experts(
            OnnxGraph graph, InitializerTable constants, String x, String logits, String node, ExpertWeights weights) {
        List<String> inputs = new ArrayList<>(List.of(x, logits));
        List<String> scales = new ArrayList<>();
        for (Matrix matrix : List.of(weights.gate(), weights.up(), weights.down())) {
            Quantized stored = constants.quantized(matrix.name(), matrix.parts(), matrix.columns(), bits);
            inputs.add(stored.codes());
            scales.add(stored.scales());
        }
        inputs.addAll(scales);
        return graph.node(GraphContract.DOMAIN, GraphContract.EXPERTS, node, inputs, weights.attributes(bits));
    }
}
