package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import java.util.List;

/**
 * A decoder as the graph builder sees it: what its family has in common with the others, and what tells it apart.
 *
 * @param shape dimensions; {@code contextLength} is what the model was made for
 * @param normEpsilon added to the mean square in RMSNorm
 * @param rotary position embedding of queries and keys
 * @param tiedHead whether the head is the embedding table
 * @param embedding name of the embedding table, [vocabSize, hiddenSize]
 * @param finalNorm name of the last norm's weight, [hiddenSize]
 * @param head name of the head, [vocabSize, hiddenSize]; not read where it is tied
 * @param layers names of each layer's tensors
 */
public record DecoderSpec(
        DecoderShape shape,
        double normEpsilon,
        RotaryEmbedding rotary,
        boolean tiedHead,
        String embedding,
        String finalNorm,
        String head,
        List<LayerTensors> layers) {

    /** Copies the list. */
    public DecoderSpec {
        layers = List.copyOf(layers);
    }

    /** The same for at most that many positions. */
    DecoderSpec withContextLimit(int limit) {
        DecoderShape s = shape;
        DecoderShape limited = new DecoderShape(
                s.family(),
                s.layers(),
                s.hiddenSize(),
                s.heads(),
                s.kvHeads(),
                s.headSize(),
                s.innerSize(),
                s.vocabSize(),
                Math.min(s.contextLength(), limit));
        return new DecoderSpec(limited, normEpsilon, rotary, tiedHead, embedding, finalNorm, head, layers);
    }

    /**
     * Names of the tensors of one layer; matrices are [output, input].
     *
     * @param attentionNorm [hiddenSize]
     * @param query [heads * headSize, hiddenSize]
     * @param key [kvHeads * headSize, hiddenSize]
     * @param value [kvHeads * headSize, hiddenSize]
     * @param output [hiddenSize, heads * headSize]
     * @param mlpNorm [hiddenSize]
     * @param gate [innerSize, hiddenSize], through SiLU
     * @param up [innerSize, hiddenSize]
     * @param down [hiddenSize, innerSize]
     */
    public record LayerTensors(
            String attentionNorm,
            String query,
            String key,
            String value,
            String output,
            String mlpNorm,
            String gate,
            String up,
            String down) {}
}
