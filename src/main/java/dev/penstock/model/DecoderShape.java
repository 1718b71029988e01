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
 * @param innerSize width of the gated MLP
 * @param vocabSize rows of the embedding table, and width of a row of logits
 * @param contextLength most tokens of a sequence, prompt and completion together
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
        int contextLength) {

    /** Bytes that one token takes in the KV cache over all layers. */
    public long kvBytesPerToken(KvType type) {
        return 2L * layers * kvHeads * type.headBytes(headSize);
    }

    /** The same with another context length. */
    public DecoderShape withContextLength(int tokens) {
        return new DecoderShape(family, layers, hiddenSize, heads, kvHeads, headSize, innerSize, vocabSize, tokens);
    }
}
