package dev.penstock.weights.onnximport;

import java.util.Optional;

/**
 * What the files beside a graph say of it.
 *
 * @param family the model's type
 * @param hiddenSize width of the residual stream
 * @param layers decoder layers
 * @param heads query heads
 * @param headSize width of a head, where it is told
 * @param vocabSize tokens that it knows
 * @param contextLength most tokens of a sequence
 * @param names of the graph's inputs and outputs
 */
public record ModelFacts(
        String family,
        int hiddenSize,
        int layers,
        int heads,
        Optional<Integer> headSize,
        int vocabSize,
        int contextLength,
        Names names) {

    /** The same with another context. */
    public ModelFacts withContextLength(int tokens) {
        return new ModelFacts(family, hiddenSize, layers, heads, headSize, vocabSize, tokens, names);
    }

    /**
     * Names of inputs and outputs.
     *
     * @param inputIds token ids [batch, sequence]
     * @param positionIds positions [batch, sequence]
     * @param attentionMask 1 for each token that is there, past ones included [batch, total]
     * @param logits [batch, sequence, vocabSize]
     */
    public record Names(String inputIds, String positionIds, String attentionMask, String logits) {
        /** The names that Hugging Face and ONNX Runtime use. */
        public static final Names USUAL = new Names("input_ids", "position_ids", "attention_mask", "logits");
    }
}
