package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.penstock.onnx.OperatorContext.Tensor;
import dev.penstock.onnx.gemm.PackedLayout;
import dev.penstock.onnx.gemm.PackedRows;
import java.lang.foreign.MemorySegment;

/** {@link GraphContract#PACKED_GATHER}: rows of packed weights by their numbers, as floats. */
final class PackedGatherOperator implements OperatorType {
    private static final Input[] INPUTS = {Input.required(ElementType.INT64), Input.required(ElementType.UINT8)};

    private final PackedWeightMemory memory;

    /** The operator of one session. */
    PackedGatherOperator(PackedWeightMemory memory) {
        this.memory = memory;
    }

    @Override
    public String name() {
        return GraphContract.PACKED_GATHER;
    }

    @Override
    public Input[] inputs() {
        return INPUTS;
    }

    @Override
    public Kernel kernel(OperatorAttributes attributes) {
        PackedLayout layout = PackedMatMulOperator.layout(attributes);
        long weights = memory.address(attributes.inputName(1));
        return context -> compute(layout, weights, context);
    }

    private static void compute(PackedLayout layout, long ownWeights, OperatorContext context) throws Throwable {
        Tensor rows = context.input(0).require(1, "row numbers");
        long address = PackedMatMulOperator.weights(ownWeights, layout.bytes(), context);
        MemorySegment numbers = MemorySegment.ofAddress(rows.address()).reinterpret(8 * rows.d0());
        MemorySegment weights = MemorySegment.ofAddress(address).reinterpret(layout.bytes());
        long rowBytes = 4L * layout.inputs();
        MemorySegment output = MemorySegment.ofAddress(context.output(rows.d0(), layout.inputs()))
                .reinterpret(rows.d0() * rowBytes);
        for (long i = 0; i < rows.d0(); i++) {
            long row = numbers.getAtIndex(JAVA_LONG_UNALIGNED, i);
            if (row < 0 || row >= layout.outputs()) {
                throw new IllegalArgumentException("row %d of a table of %d".formatted(row, layout.outputs()));
            }
            PackedRows.read(weights, layout, (int) row, output, i * rowBytes);
        }
    }
}
