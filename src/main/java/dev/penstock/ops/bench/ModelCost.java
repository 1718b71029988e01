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

    /** Weights of the layers' matrices that a step of so many tokens reads; each is read once for all its tokens. */
    double layerWeights(int tokens) {
        return weights(expertsRead(tokens));
    }

    private double weights(double experts) {
        double q = (double) shape.heads() * shape.headSize();
        double kv = (double) shape.kvHeads() * shape.headSize();
        double attention = shape.hiddenSize() * (q + 2 * kv) + q * shape.hiddenSize();
        return shape.layers() * (attention + experts * 3 * shape.hiddenSize() * shape.innerSize());
    }

    /** Experts of a layer that at least one token takes, on average where all are equally likely. */
    private double expertsRead(int tokens) {
        double left = 1 - (double) shape.chosenExperts() / shape.experts();
        return shape.experts() * (1 - Math.pow(left, tokens));
    }

    /** Weights of the layers' matrices that {@link Precision#MIXED} keeps at 8 bits: query-key-value, and down without experts. */
    double sensitiveWeights() {
        double queryKeyValue = (double) (shape.heads() + 2 * shape.kvHeads()) * shape.headSize();
        int down = shape.experts() == 1 ? shape.innerSize() : 0;
        return shape.layers() * shape.hiddenSize() * (queryKeyValue + down);
    }

    /** Weights of the head. */
    long headWeights() {
        return (long) shape.hiddenSize() * shape.vocabSize();
    }

    /** Bytes of weights that a step of so many tokens reads when each is read once. */
    public double weightBytes(int tokens) {
        double headBytes = switch (precision) {
            case FP32 -> 4;
            case FP16 -> 2;
            case INT8, INT4, MIXED -> INT8_BYTES;
        };
        return layerBytes(tokens) + headBytes * headWeights();
    }

    /** Bytes of the layers' matrices that a step of so many tokens reads. */
    double layerBytes(int tokens) {
        double layers = layerWeights(tokens);
        return switch (precision) {
            case FP32 -> 4.0 * layers;
            case FP16 -> 2.0 * layers;
            case INT8 -> INT8_BYTES * layers;
            case INT4 -> INT4_BYTES * layers;
            case MIXED -> INT4_BYTES * (layers - sensitiveWeights()) + INT8_BYTES * sensitiveWeights();
        };
    }

    /** Bytes that one run of a case reads, weights and keys and values; a prompt counts as one step. */
    public double bytes(BenchCase benchCase) {
        return switch (benchCase) {
            case BenchCase.Prompt prompt -> weightBytes(prompt.tokens());
            case BenchCase.Decode decode ->
                weightBytes(decode.batch())
                        + (double) decode.batch() * decode.context() * shape.kvBytesPerToken(kvType);
        };
    }

    /** Operations of a case's matrix products with weights, a multiplication and an addition counted each. */
    public double operations(BenchCase benchCase) {
        double layers = weights(shape.chosenExperts());
        return switch (benchCase) {
            case BenchCase.Prompt prompt -> 2.0 * (layers * prompt.tokens() + headWeights());
            case BenchCase.Decode decode -> 2.0 * (layers + headWeights()) * decode.batch();
        };
    }
}
