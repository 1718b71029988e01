package dev.penstock.onnx;

import dev.penstock.onnx.OperatorContext.Tensor;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.onnx.gemm.PackedGemm;
import dev.penstock.onnx.gemm.PackedLayout;

/** {@link GraphContract#PACKED_GATED_MATMUL}: the first half of a gated MLP in one node. */
final class PackedGatedMatMulOperator implements OperatorType {
    private static final Input[] INPUTS = {Input.required(ElementType.FLOAT), Input.required(ElementType.UINT8)};

    private final PackedGemm gemm;
    private final PackedWeightMemory memory;

    /** The operator of one session, whose nodes share the working memory since they run one after the other. */
    PackedGatedMatMulOperator(PackedGemm gemm, PackedWeightMemory memory) {
        this.gemm = gemm;
        this.memory = memory;
    }

    @Override
    public String name() {
        return GraphContract.PACKED_GATED_MATMUL;
    }

    @Override
    public Input[] inputs() {
        return INPUTS;
    }

    @Override
    public Kernel kernel(OperatorAttributes attributes) {
        PackedMatMulOperator.requireKernels();
        PackedLayout layout = PackedMatMulOperator.layout(attributes);
        Activation activation = activation(attributes.integer(GraphContract.ATTR_ACTIVATION, -1));
        long own = memory.address(attributes.inputName(1));
        return context -> {
            Tensor input = PackedMatMulOperator.rows(layout, context);
            long weights = PackedMatMulOperator.weights(own, 2 * layout.bytes(), context);
            long output = context.output(input.d0(), layout.outputs());
            gemm.multiplyGated(
                    input.address(), Math.toIntExact(input.d0()), weights, layout, activation, output, context);
        };
    }

    private static Activation activation(long ordinal) {
        if (ordinal < 0 || ordinal >= Activation.values().length) {
            throw new IllegalArgumentException("attribute activation is " + ordinal + ", which names none");
        }
        return Activation.values()[(int) ordinal];
    }
}
