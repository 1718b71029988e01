package dev.penstock.model;

/**
 * The dimensions of a decoder-only model, as far as those who run it must know them.
 *
 * @param family the family that its graph was built for, such as {@code llama}
 * @param layers decoder layers
 * @param hiddenSize width of the residual stream
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of one head
 * @param innerSize width of the gated MLP, or of one expert
 * @param vocabSize rows of the embedding table, and width of a row of logits
 * @param contextLength most tokens of a sequence, prompt and completion together
 * @param experts gated MLPs of a layer; 1 where there is no choice
 * @param chosenExperts how many of them a token takes
 */
public record DecoderShape(
        String family,
        int layers,
        int hiddenSize,
        int heads,
        int kvHeads,
        int headSize,
        int innerSize,
        int vocabSize,
        int contextLength,
        int experts,
        int chosenExperts) {

    /** A model with one MLP in each layer. */
    public DecoderShape(
            String family,
            int layers,
            int hiddenSize,
            int heads,
            int kvHeads,
            int headSize,
            int innerSize,
            int vocabSize,
            int contextLength) {
        this(family, layers, hiddenSize, heads, kvHeads, headSize, innerSize, vocabSize, contextLength, 1, 1);
    }

    /** Bytes that one token takes in the KV cache over all layers. */
    public long kvBytesPerToken(KvType type) {
        return 2L * layers * kvHeads * type.headBytes(headSize);
    }

    /** The same with another context length. */
    public DecoderShape withContextLength(int tokens) {
        return new DecoderShape(
                family,
                layers,
                hiddenSize,
                heads,
                kvHeads,
                headSize,
                innerSize,
                vocabSize,
                tokens,
                experts,
                chosenExperts);
    }

    /** The same with another width of the MLP. */
    public DecoderShape withInnerSize(int width) {
        return new DecoderShape(
                family,
                layers,
                hiddenSize,
                heads,
                kvHeads,
                headSize,
                width,
                vocabSize,
                contextLength,
                experts,
                chosenExperts);
    }

    /** The same with so many experts in each layer, of which a token takes {@code chosen}. */
    public DecoderShape withExperts(int count, int chosen) {
        return new DecoderShape(
                family,
                layers,
                hiddenSize,
                heads,
                kvHeads,
                headSize,
                innerSize,
                vocabSize,
                contextLength,
                count,
                chosen);
    }
}
