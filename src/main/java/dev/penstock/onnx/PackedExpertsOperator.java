package dev.penstock.onnx;

import dev.penstock.onnx.OperatorContext.Tensor;
import dev.penstock.onnx.experts.ExpertConfig;
import dev.penstock.onnx.experts.ExpertMlp;
import dev.penstock.onnx.experts.PackedMatrices;
import dev.penstock.onnx.gemm.PackedGemm;
import dev.penstock.onnx.gemm.PackedLayout;

/** {@link GraphContract#PACKED_EXPERTS}: a layer of experts over packed weights. */
final class PackedExpertsOperator implements OperatorType {
    private static final Input[] INPUTS = {
        Input.required(ElementType.FLOAT), // x
        Input.required(ElementType.FLOAT), // router logits
        Input.required(ElementType.UINT8), // gate
        Input.required(ElementType.UINT8), // up
        Input.required(ElementType.UINT8), // down
    };

    private final ExpertMlp mlp;
    private final PackedGemm gemm;
    private final PackedWeightMemory memory;

    /** The operator of one session, whose nodes share the working memory since they run one after the other. */
    PackedExpertsOperator(ExpertMlp mlp, PackedGemm gemm, PackedWeightMemory memory) {
        this.mlp = mlp;
        this.gemm = gemm;
        this.memory = memory;
    }

    @Override
    public String name() {
        return GraphContract.PACKED_EXPERTS;
    }

    @Override
    public Input[] inputs() {
        return INPUTS;
    }

    @Override
    public Kernel kernel(OperatorAttributes attributes) {
        PackedMatMulOperator.requireKernels();
        ExpertConfig config = ExpertsOperator.config(attributes);
        if (!PackedMatrices.canPack(config.hidden(), config.inner())) {
            throw new IllegalArgumentException(config + " does not fill whole panels");
        }
        int bits = Math.toIntExact(attributes.integer(GraphContract.ATTR_BITS, 0));
        PackedLayout inward = PackedMatrices.inward(config, bits);
        PackedLayout outward = PackedMatrices.outward(config, bits);
        long gate = memory.address(attributes.inputName(2));
        long up = memory.address(attributes.inputName(3));
        long down = memory.address(attributes.inputName(4));
        return context -> {
            PackedMatrices matrices = new PackedMatrices(
                    config,
                    bits,
                    gemm,
                    address(context, 2, inward, gate),
                    address(context, 3, inward, up),
                    address(context, 4, outward, down));
            ExpertsOperator.compute(mlp, config, matrices, context);
        };
    }

    private static long address(OperatorContext context, int index, PackedLayout layout, long own) throws Throwable {
        Tensor weights = context.input(index).require(1, "packed weights");
        if (weights.d0() != layout.bytes()) {
            throw new IllegalArgumentException(
                    "%d bytes of packed weights; %s has %d".formatted(weights.d0(), layout, layout.bytes()));
        }
        return own == 0 ? weights.address() : own;
    }
}
