package dev.penstock.onnx;

import dev.penstock.onnx.OperatorContext.Tensor;
import dev.penstock.onnx.gemm.PackedGemm;
import dev.penstock.onnx.gemm.PackedLayout;

/** {@link GraphContract#PACKED_MATMUL}: rows of floats times packed weights. */
final class PackedMatMulOperator implements OperatorType {
    private static final Input[] INPUTS = {Input.required(ElementType.FLOAT), Input.required(ElementType.UINT8)};

    private final PackedGemm gemm;
    private final PackedWeightMemory memory;

    /** The operator of one session, whose nodes share the working memory since they run one after the other. */
    PackedMatMulOperator(PackedGemm gemm, PackedWeightMemory memory) {
        this.gemm = gemm;
        this.memory = memory;
    }

    @Override
    public String name() {
        return GraphContract.PACKED_MATMUL;
    }

    @Override
    public Input[] inputs() {
        return INPUTS;
    }

    @Override
    public Kernel kernel(OperatorAttributes attributes) {
        requireKernels();
        PackedLayout layout = layout(attributes);
        long weights = memory.address(attributes.inputName(1));
        return context -> compute(layout, weights, context);
    }

    /** Refuses a graph over packed weights where this processor can't multiply by them. */
    static void requireKernels() {
        if (!PackedGemm.supported()) {
            throw new IllegalArgumentException(
                    "the graph was built for processors with AVX-512 VNNI, and this one has none: build it here");
        }
    }

    /** The layout that a node's attributes tell. */
    static PackedLayout layout(OperatorAttributes attributes) {
        return new PackedLayout(
                Math.toIntExact(attributes.integer(GraphContract.ATTR_OUTPUTS, 0)),
                Math.toIntExact(attributes.integer(GraphContract.ATTR_INPUTS, 0)),
                Math.toIntExact(attributes.integer(GraphContract.ATTR_BITS, 0)));
    }

    /**
     * The address of the packed weights that are a node's second input.
     *
     * @param own their address in memory of ours, 0 if only ONNX Runtime has them
     * @param bytes how many ONNX Runtime must have
     */
    static long weights(long own, long bytes, OperatorContext context) throws Throwable {
        if (own != 0) {
            return own;
        }
        Tensor weights = context.input(1).require(1, "packed weights");
        if (weights.d0() != bytes) {
            throw new IllegalArgumentException("%d bytes of packed weights, not %d".formatted(weights.d0(), bytes));
        }
        return weights.address();
    }

    /** The rows of floats that are a node's first input, as wide as the layout has it. */
    static Tensor rows(PackedLayout layout, OperatorContext context) throws Throwable {
        Tensor input = context.input(0).require(2, "input");
        if (input.d1() != layout.inputs()) {
            throw new IllegalArgumentException("input is %d wide, not %d".formatted(input.d1(), layout.inputs()));
        }
        return input;
    }

    private void compute(PackedLayout layout, long ownWeights, OperatorContext context) throws Throwable {
        Tensor input = rows(layout, context);
        long weights = weights(ownWeights, layout.bytes(), context);
        long output = context.output(input.d0(), layout.outputs());
        gemm.multiply(input.address(), Math.toIntExact(input.d0()), weights, layout, output, context);
    }
}
