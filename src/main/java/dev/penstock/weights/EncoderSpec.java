package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An encoder of BERT's family (Devlin et al. 2018, RoBERTa: Liu et al. 2019) as its graph's builder sees it: embeddings of
 * tokens, positions and types, summed up and normed; layers of attention and MLP, each added to what went in and normed.
 *
 * @param shape its dimensions; {@code contextLength} is the number of rows of its table of positions
 * @param prefix what all names but the classifier's begin with, such as {@code bert.}
 * @param epsilon added to the variance in norms
 * @param types rows of its table of types
 * @param paddingToken the id behind which positions are counted, as RoBERTa does; empty where they begin with 0
 * @param tanhGelu whether its MLP takes GELU by its tanh approximation
 * @param classifier the matrices that make a logit of the first token's vector, if it has any; a tanh stands between them
 */
record EncoderSpec(
        DecoderShape shape,
        String prefix,
        double epsilon,
        int types,
        OptionalInt paddingToken,
        boolean tanhGelu,
        Optional<Classifier> classifier) {
    /**
     * A head of two matrices with biases.
     *
     * @param dense name of the first, [hiddenSize, hiddenSize]
     * @param output name of the second, [1, hiddenSize]
     */
    record Classifier(String dense, String output) {}

    /** Names of the embeddings' tensors. */
    String embedding(String part) {
        return prefix + "embeddings." + part;
    }

    /** Name of a layer's tensor. */
    String layer(int layer, String part) {
        return prefix + "encoder.layer." + layer + "." + part;
    }

    /** Names of the matrices that make query, key and value. */
    List<String> queryKeyValue(int layer, String what) {
        return List.of(
                layer(layer, "attention.self.query." + what),
                layer(layer, "attention.self.key." + what),
                layer(layer, "attention.self.value." + what));
    }
}
