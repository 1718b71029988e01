package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Small constants. */
final class Tensors {
    private Tensors() {}

    /** A float without dimensions. */
    static TensorProto number(String name, float value) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(DataType.FLOAT.getNumber())
                .addFloatData(value)
                .build();
    }

    /** An int64 without dimensions. */
    static TensorProto integer(String name, long value) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(DataType.INT64.getNumber())
                .addInt64Data(value)
                .build();
    }

    /** A vector of int64. */
    static TensorProto integers(String name, List<Long> values) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(DataType.INT64.getNumber())
                .addDims(values.size())
                .addAllInt64Data(values)
                .build();
    }

    /** The one number of a float or float16 constant; empty for any other tensor. */
    static OptionalDouble number(@Nullable TensorProto tensor) {
        if (tensor == null
                || ExternalTensor.isExternal(tensor)
                || tensor.getDimsList().stream().anyMatch(d -> d != 1)) {
            return OptionalDouble.empty();
        }
        ByteBuffer raw = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        return switch (DataType.forNumber(tensor.getDataType())) {
            case FLOAT -> {
                if (tensor.getFloatDataCount() == 1) {
                    yield OptionalDouble.of(tensor.getFloatData(0));
                }
                yield raw.remaining() == Float.BYTES ? OptionalDouble.of(raw.getFloat()) : OptionalDouble.empty();
            }
            case FLOAT16 -> {
                if (tensor.getInt32DataCount() == 1) {
                    yield OptionalDouble.of(Float.float16ToFloat((short) tensor.getInt32Data(0)));
                }
                yield raw.remaining() == Short.BYTES
                        ? OptionalDouble.of(Float.float16ToFloat(raw.getShort()))
                        : OptionalDouble.empty();
            }
            case null, default -> OptionalDouble.empty();
        };
    }

    /** The one whole number of an int64 or int32 constant; empty for any other tensor. */
    static Optional<Long> oneInteger(@Nullable TensorProto tensor) {
        if (tensor == null
                || ExternalTensor.isExternal(tensor)
                || tensor.getDimsList().stream().anyMatch(d -> d != 1)) {
            return Optional.empty();
        }
        ByteBuffer raw = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        return switch (DataType.forNumber(tensor.getDataType())) {
            case INT64 -> {
                if (tensor.getInt64DataCount() == 1) {
                    yield Optional.of(tensor.getInt64Data(0));
                }
                yield raw.remaining() == Long.BYTES ? Optional.of(raw.getLong()) : Optional.empty();
            }
            case INT32 -> {
                if (tensor.getInt32DataCount() == 1) {
                    yield Optional.of((long) tensor.getInt32Data(0));
                }
                yield raw.remaining() == Integer.BYTES ? Optional.of((long) raw.getInt()) : Optional.empty();
            }
            case null, default -> Optional.empty();
        };
    }
}
