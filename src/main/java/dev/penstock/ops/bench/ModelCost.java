package dev.penstock.ops.bench;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;

/**
 * What a step has to read and to compute, at the least: the bounds that a measured time is held against.
 *
 * @param shape the model's dimensions
 * @param precision of its weights
 * @param kvType of its KV cache
 */
public record ModelCost(DecoderShape shape, Precision precision, KvType kvType) {
    /** Bytes of a weight, its share of the 16-bit scale of its block of 32 counted in; ONNX Runtime's own are of 32. */
    private static final double INT8_BYTES = 1 + 2 / 32.0;

    private static final double INT4_BYTES = 0.5 + 2 / 32.0;

    /** Weights of the layers' matrices. */
    long layerWeights() {
        long q = (long) shape.heads() * shape.headSize();
        long kv = (long) shape.kvHeads() * shape.headSize();
        long attention = shape.hiddenSize() * (q + 2 * kv) + q * shape.hiddenSize();
        return shape.layers() * (attention + 3L * shape.hiddenSize() * shape.innerSize());
    }

    /** Weights of the layers' matrices that {@link Precision#MIXED} keeps at 8 bits: query-key-value and down. */
    long sensitiveWeights() {
        long queryKeyValue = (long) (shape.heads() + 2 * shape.kvHeads()) * shape.headSize();
        return (long) shape.layers() * shape.hiddenSize() * (queryKeyValue + shape.innerSize());
    }

    /** Weights of the head. */
    long headWeights() {
        return (long) shape.hiddenSize() * shape.vocabSize();
    }

    /** Bytes of weights that a step reads when each is read once. */
    public double weightBytes() {
        return layerBytes() + (precision == Precision.FP32 ? 4 : INT8_BYTES) * headWeights();
    }

    /** Bytes of the layers' matrices. */
    double layerBytes() {
        return switch (precision) {
            case FP32 -> 4.0 * layerWeights();
            case INT8 -> INT8_BYTES * layerWeights();
            case INT4 -> INT4_BYTES * layerWeights();
            case MIXED -> INT4_BYTES * (layerWeights() - sensitiveWeights()) + INT8_BYTES * sensitiveWeights();
        };
    }

    /** Bytes that one run of a case reads, weights and keys and values; a prompt counts as one step. */
    public double bytes(BenchCase benchCase) {
        return switch (benchCase) {
            case BenchCase.Prompt prompt -> weightBytes();
            case BenchCase.Decode decode ->
                weightBytes() + (double) decode.batch() * decode.context() * shape.kvBytesPerToken(kvType);
        };
    }

    /** Operations of a case's matrix products with weights, a multiplication and an addition counted each. */
    public double operations(BenchCase benchCase) {
        return switch (benchCase) {
            case BenchCase.Prompt prompt -> 2.0 * (layerWeights() * (double) prompt.tokens() + headWeights());
            case BenchCase.Decode decode -> 2.0 * (layerWeights() + headWeights()) * decode.batch();
        };
    }
}
