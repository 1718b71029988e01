package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A decoder as the graph builder sees it: what its family has in common with the others, and what tells it apart. A
 * layer adds attention of the normed residual to the residual, then likewise an MLP.
 *
 * @param shape dimensions; {@code contextLength} is what the model was made for
 * @param norm what all its norms share
 * @param embedding how tokens become the first residual
 * @param head how the last residual becomes logits
 * @param layers its layers, in order
 */
public record DecoderSpec(DecoderShape shape, Norm norm, Embedding embedding, Head head, List<Layer> layers) {

    /** Copies the list. */
    public DecoderSpec {
        layers = List.copyOf(layers);
    }

    /** The same for at most that many positions. */
    DecoderSpec withContextLimit(int limit) {
        return new DecoderSpec(
                shape.withContextLength(Math.min(shape.contextLength(), limit)), norm, embedding, head, layers);
    }

    /** The same without a head: its graph gives the rows that the head would be given. */
    DecoderSpec withoutHead() {
        return new DecoderSpec(shape, norm, embedding, new Head(head.norm(), "", 1, 0), layers);
    }

    /** Whether it has a head. */
    boolean hasHead() {
        return !head.matrix().isEmpty();
    }

    /** Whether the head is the embedding table. */
    public boolean tiedHead() {
        return head.matrix().equals(embedding.table());
    }

    /**
     * RMSNorm (Zhang and Sennrich 2019).
     *
     * @param epsilon added to the mean square
     * @param offset added to the weight: 1 where weights are stored as their difference from 1
     */
    public record Norm(double epsilon, double offset) {}

    /**
     * The embedding.
     *
     * @param table name of the tensor, [vocabSize, hiddenSize]
     * @param scale factor of its rows
     */
    public record Embedding(String table, double scale) {}

    /**
     * The head.
     *
     * @param norm name of the last norm's weight, [hiddenSize]
     * @param matrix name of the tensor, [vocabSize, hiddenSize]; the embedding's where it is tied; empty without a head
     * @param scale factor of the logits
     * @param softcap c of {@code c * tanh(logit / c)} after that, 0 for none
     */
    public record Head(String norm, String matrix, double scale, double softcap) {}

    /**
     * One layer; norms are [hiddenSize].
     *
     * @param attentionNorm name of the norm before attention
     * @param attention the attention
     * @param attentionOutputNorm name of the norm between attention and the sum, if there is one
     * @param mlpNorm name of the norm before the MLP
     * @param mlp the MLP
     * @param mlpOutputNorm name of the norm between the MLP and the sum, if there is one
     */
    public record Layer(
            String attentionNorm,
            Attention attention,
            Optional<String> attentionOutputNorm,
            String mlpNorm,
            Mlp mlp,
            Optional<String> mlpOutputNorm) {}

    /**
     * Rows of a matrix, or numbers of a vector.
     *
     * @param tensor its name
     * @param first the first of them
     * @param count how many there are
     * @param total how many the whole tensor has
     */
    public record Rows(String tensor, int first, int count, int total) {
        /** All of a tensor. */
        static Rows all(String tensor, int count) {
            return new Rows(tensor, 0, count, count);
        }
    }

    /**
     * Attention; queries are [heads * headSize], keys and values [kvHeads * headSize] each.
     *
     * @param queryKeyValue rows of matrices [.., hiddenSize] that make queries, keys and values, one after the other
     * @param bias numbers of vectors likewise; empty for none
     * @param headNorms norms of each query and key head before they are rotated
     * @param output name of the matrix [hiddenSize, heads * headSize]
     * @param scores what becomes of the dot products
     * @param rotary position embedding of queries and keys
     */
    public record Attention(
            List<Rows> queryKeyValue,
            List<Rows> bias,
            Optional<HeadNorms> headNorms,
            String output,
            Scores scores,
            RotaryEmbedding rotary) {
        /** Copies the lists. */
        public Attention {
            queryKeyValue = List.copyOf(queryKeyValue);
            bias = List.copyOf(bias);
        }

        /** The same with biases. */
        Attention withBias(List<Rows> numbers) {
            return new Attention(queryKeyValue, numbers, headNorms, output, scores, rotary);
        }

        /** The same with norms of the heads. */
        Attention withHeadNorms(HeadNorms norms) {
            return new Attention(queryKeyValue, bias, Optional.of(norms), output, scores, rotary);
        }

        /** The same with other scores. */
        Attention withScores(Scores other) {
            return new Attention(queryKeyValue, bias, headNorms, output, other, rotary);
        }

        /** The same within a window of so many tokens, if there is one. */
        Attention withWindow(OptionalInt window) {
            return withScores(new Scores(scores.scale(), scores.softcap(), window));
        }
    }

    /**
     * Names of the weights of a layer's head norms, [headSize] each.
     *
     * @param query of the queries
     * @param key of the keys
     */
    public record HeadNorms(String query, String key) {}

    /**
     * Scores of keys before the softmax.
     *
     * @param scale factor of the dot products
     * @param softcap c of {@code c * tanh(score / c)} after that, 0 for none
     * @param window tokens that a query sees, itself included; empty for all
     */
    public record Scores(double scale, double softcap, OptionalInt window) {
        /** As in Vaswani et al. 2017: one over the root of the head size, and nothing else. */
        static Scores plain(int headSize) {
            return new Scores(1 / Math.sqrt(headSize), 0, OptionalInt.empty());
        }
    }

    /** What a layer does with each token by itself. */
    public sealed interface Mlp {}

    /**
     * {@code down(activation(gate(x)) * up(x))} (Shazeer 2020).
     *
     * @param gate rows [innerSize, hiddenSize]
     * @param up rows [innerSize, hiddenSize]
     * @param down name of the matrix [hiddenSize, innerSize]
     * @param activation of the gate
     */
    public record Gated(Rows gate, Rows up, String down, Activation activation) implements Mlp {}

    /**
     * Gated MLPs of which each token takes those that a router gives the most (Shazeer et al. 2017); their outputs are
     * weighted by their shares of the softmax over all, and added up.
     *
     * @param router name of the matrix [experts, hiddenSize]
     * @param experts all of them, alike in their activation
     * @param chosen how many a token takes
     * @param renormalised whether the shares of the chosen ones are scaled to add up to 1
     */
    public record Experts(String router, List<Gated> experts, int chosen, boolean renormalised) implements Mlp {
        /** Copies the list. */
        public Experts {
            experts = List.copyOf(experts);
        }
    }
}
