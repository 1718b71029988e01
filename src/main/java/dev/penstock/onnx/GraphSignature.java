package dev.penstock.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import java.util.ArrayList;
import java.util.List;

/** Inputs and outputs of a graph that follows {@link GraphContract}, as its file declares them. */
public final class GraphSignature {
    private GraphSignature() {}

    /**
     * The inputs, in the contract's order.
     *
     * @param cuda whether they are those of a graph for CUDA
     */
    public static List<ValueInfoProto> inputs(DecoderShape shape, KvType kvType, boolean cuda) {
        List<ValueInfoProto> inputs = new ArrayList<>();
        inputs.add(value(GraphContract.INPUT_IDS, DataType.INT64, "tokens"));
        inputs.add(value(GraphContract.LOGIT_ROWS, DataType.INT64, "rows"));
        inputs.add(value(GraphContract.SEQUENCE_STARTS, DataType.INT32, "sequences_and_end"));
        inputs.add(value(GraphContract.PAST_LENGTHS, DataType.INT32, "sequences"));
        inputs.add(value(GraphContract.BLOCK_TABLE, DataType.INT32, "sequences", "blocks_per_sequence"));
        if (cuda) {
            inputs.add(value(GraphContract.ATTENTION_BOUNDS, DataType.INT32, 2));
        }
        DataType cacheType = switch (kvType) {
            case FP32 -> DataType.FLOAT;
            case FP16 -> DataType.FLOAT16;
            case INT8 -> DataType.INT8;
        };
        for (int l = 0; l < shape.layers(); l++) {
            for (String cache : List.of(GraphContract.keyCache(l), GraphContract.valueCache(l))) {
                inputs.add(value(
                        cache,
                        cacheType,
                        "blocks",
                        "block_size",
                        shape.kvHeads(),
                        kvType.headNumbers(shape.headSize())));
            }
        }
        return inputs;
    }

    /** The one output of a graph with a head. */
    public static ValueInfoProto logits(DecoderShape shape) {
        return value(GraphContract.LOGITS, DataType.FLOAT, "rows", shape.vocabSize());
    }

    /** The one output of a graph without a head. */
    public static ValueInfoProto hidden(DecoderShape shape) {
        return value(GraphContract.HIDDEN, DataType.FLOAT, "rows", shape.hiddenSize());
    }

    /**
     * An input or output of a graph.
     *
     * @param dims whole numbers, or names of dimensions that differ from run to run
     */
    public static ValueInfoProto value(String name, DataType type, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            TensorShapeProto.Dimension.Builder dimension = shape.addDimBuilder();
            if (dim instanceof Number number) {
                dimension.setDimValue(number.longValue());
            } else {
                dimension.setDimParam(dim.toString());
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.getNumber())
                                .setShape(shape)))
                .build();
    }
}
