package dev.penstock.onnx;

import dev.penstock.onnx.OperatorContext.Tensor;
import dev.penstock.onnx.experts.BlockMatrices;
import dev.penstock.onnx.experts.ExpertConfig;
import dev.penstock.onnx.experts.ExpertMatrices;
import dev.penstock.onnx.experts.ExpertMlp;
import dev.penstock.onnx.experts.FloatMatrices;

/** {@link GraphContract#EXPERTS}: a layer of experts over floats, or over blocks of codes with scales. */
final class ExpertsOperator implements OperatorType {
    private static final int FLOAT_BITS = 32;
    private static final int BLOCK = 32;

    private static final Input[] INPUTS = {
        Input.required(ElementType.FLOAT), // x
        Input.required(ElementType.FLOAT), // router logits
        Input.requiredOfAnyType(), // gate
        Input.requiredOfAnyType(), // up
        Input.requiredOfAnyType(), // down
        Input.optional(ElementType.FLOAT), // scales of the gate
        Input.optional(ElementType.FLOAT), // scales of up
        Input.optional(ElementType.FLOAT), // scales of down
    };

    private final ExpertMlp mlp;

    /** The operator of one session, whose nodes share the working memory since they run one after the other. */
    ExpertsOperator(ExpertMlp mlp) {
        this.mlp = mlp;
    }

    @Override
    public String name() {
        return GraphContract.EXPERTS;
    }

    @Override
    public Input[] inputs() {
        return INPUTS;
    }

    @Override
    public Kernel kernel(OperatorAttributes attributes) {
        ExpertConfig config = config(attributes);
        int bits = Math.toIntExact(attributes.integer(GraphContract.ATTR_BITS, FLOAT_BITS));
        if (bits != FLOAT_BITS && bits != 8 && bits != 4) {
            throw new IllegalArgumentException("experts of " + bits + " bits: 4, 8 and 32 are there");
        }
        return context -> compute(mlp, config, matrices(config, bits, context), context);
    }

    /** What a node's attributes tell. */
    static ExpertConfig config(OperatorAttributes attributes) {
        return new ExpertConfig(
                Math.toIntExact(attributes.integer(GraphContract.ATTR_EXPERTS, 0)),
                Math.toIntExact(attributes.integer(GraphContract.ATTR_CHOSEN, 0)),
                attributes.integer(GraphContract.ATTR_RENORMALISED, 0) != 0,
                attributes.integer(GraphContract.ATTR_GELU, 0) != 0,
                Math.toIntExact(attributes.integer(GraphContract.ATTR_INPUTS, 0)),
                Math.toIntExact(attributes.integer(GraphContract.ATTR_OUTPUTS, 0)));
    }

    /** Checks x and logits, and runs the layer. */
    static void compute(ExpertMlp mlp, ExpertConfig config, ExpertMatrices matrices, OperatorContext context)
            throws Throwable {
        Tensor input = context.input(0).require(2, "input");
        Tensor logits = context.input(1).require(2, "router logits");
        if (input.d1() != config.hidden() || logits.d1() != config.experts() || logits.d0() != input.d0()) {
            throw new IllegalArgumentException("input [%d, %d] and router logits [%d, %d] do not fit %s"
                    .formatted(input.d0(), input.d1(), logits.d0(), logits.d1(), config));
        }
        int tokens = Math.toIntExact(input.d0());
        long output = context.output(tokens, config.hidden());
        mlp.run(config, matrices, input.address(), logits.address(), tokens, output, context);
    }

    private static ExpertMatrices matrices(ExpertConfig config, int bits, OperatorContext context) throws Throwable {
        long inward = (long) config.experts() * config.inner();
        long outward = (long) config.experts() * config.hidden();
        if (bits == FLOAT_BITS) {
            return new FloatMatrices(
                    config,
                    floats(context, 2, inward, config.hidden()),
                    floats(context, 3, inward, config.hidden()),
                    floats(context, 4, outward, config.inner()));
        }
        return new BlockMatrices(
                config,
                bits,
                blocks(context, 2, bits, inward, config.hidden()),
                blocks(context, 3, bits, inward, config.hidden()),
                blocks(context, 4, bits, outward, config.inner()));
    }

    private static long floats(OperatorContext context, int index, long rows, int columns) throws Throwable {
        Tensor weights = context.input(index).require(2, "weights");
        if (weights.type() != ElementType.FLOAT.code() || weights.d0() != rows || weights.d1() != columns) {
            throw new IllegalArgumentException("weights [%d, %d] of type %d are not floats [%d, %d]"
                    .formatted(weights.d0(), weights.d1(), weights.type(), rows, columns));
        }
        return weights.address();
    }

    private static BlockMatrices.Blocks blocks(OperatorContext context, int index, int bits, long rows, int columns)
            throws Throwable {
        Tensor codes = context.input(index).require(3, "codes");
        Tensor scales = context.input(index + 3L).require(2, "scales");
        int blocks = (columns + BLOCK - 1) / BLOCK;
        if (codes.type() != ElementType.UINT8.code()
                || codes.d0() != rows
                || codes.d1() != blocks
                || codes.d2() != BLOCK * bits / 8
                || scales.d0() != rows
                || scales.d1() != blocks) {
            throw new IllegalArgumentException("codes [%d, %d, %d] and scales [%d, %d] are not those of [%d, %d]"
                    .formatted(codes.d0(), codes.d1(), codes.d2(), scales.d0(), scales.d1(), rows, columns));
        }
        return new BlockMatrices.Blocks(codes.address(), scales.address());
    }
}
