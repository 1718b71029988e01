package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Attention;
import dev.penstock.weights.DecoderSpec.Embedding;
import dev.penstock.weights.DecoderSpec.Gated;
import dev.penstock.weights.DecoderSpec.Head;
import dev.penstock.weights.DecoderSpec.HeadNorms;
import dev.penstock.weights.DecoderSpec.Layer;
import dev.penstock.weights.DecoderSpec.Mlp;
import dev.penstock.weights.DecoderSpec.Norm;
import dev.penstock.weights.DecoderSpec.Rows;
import dev.penstock.weights.DecoderSpec.Scores;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Parts of decoders by the tensor names that most families of Hugging Face share.
 *
 * @param shape the model's dimensions
 * @param prefix what all names but the head's begin with, such as {@code model.}
 */
record StandardTensors(DecoderShape shape, String prefix) {
    /** Names that begin with {@code model.}. */
    StandardTensors(DecoderShape shape) {
        this(shape, "model.");
    }

    /** A decoder without factors or caps. */
    DecoderSpec decoder(Norm norm, boolean tied, IntFunction<Layer> layer) {
        return new DecoderSpec(shape, norm, embedding(1), head(tied, "lm_head.weight", 0), layers(layer));
    }

    /** The embedding with a factor. */
    Embedding embedding(double scale) {
        return new Embedding(prefix + "embed_tokens.weight", scale);
    }

    /** The head, under that name where it is not tied. */
    Head head(boolean tied, String matrix, double softcap) {
        return new Head(prefix + "norm.weight", tied ? embedding(1).table() : matrix, 1, softcap);
    }

    /** All layers. */
    List<Layer> layers(IntFunction<Layer> layer) {
        return IntStream.range(0, shape.layers()).mapToObj(layer).toList();
    }

    /** A layer with two norms. */
    Layer layer(int layer, Attention attention, Mlp mlp) {
        return new Layer(
                name(layer, "input_layernorm"),
                attention,
                Optional.empty(),
                name(layer, "post_attention_layernorm"),
                mlp,
                Optional.empty());
    }

    /** A layer with four norms; attention and MLP end in one each. */
    Layer layer(int layer, Attention attention, String attentionOutput, String mlpInput, Mlp mlp, String mlpOutput) {
        return new Layer(
                name(layer, "input_layernorm"),
                attention,
                Optional.of(name(layer, attentionOutput)),
                name(layer, mlpInput),
                mlp,
                Optional.of(name(layer, mlpOutput)));
    }

    /** Attention of all tokens with matrices for query, key and value. */
    Attention attention(int layer, RotaryEmbedding rotary) {
        return attention(layer, rotary, separate(layer, "weight"));
    }

    /** Attention of all tokens with these rows for query, key and value. */
    Attention attention(int layer, RotaryEmbedding rotary, List<Rows> queryKeyValue) {
        return new Attention(
                queryKeyValue,
                List.of(),
                Optional.empty(),
                name(layer, "self_attn.o_proj"),
                Scores.plain(shape.headSize()),
                rotary);
    }

    /** Biases of query, key and value. */
    List<Rows> biases(int layer) {
        return separate(layer, "bias");
    }

    private List<Rows> separate(int layer, String what) {
        int kvWidth = shape.kvHeads() * shape.headSize();
        String attention = prefix + "layers." + layer + ".self_attn.";
        return List.of(
                Rows.all(attention + "q_proj." + what, shape.heads() * shape.headSize()),
                Rows.all(attention + "k_proj." + what, kvWidth),
                Rows.all(attention + "v_proj." + what, kvWidth));
    }

    /** Norms of query and key heads. */
    HeadNorms headNorms(int layer) {
        return new HeadNorms(name(layer, "self_attn.q_norm"), name(layer, "self_attn.k_norm"));
    }

    /** An MLP with matrices for gate and up. */
    Gated mlp(int layer, Activation activation) {
        return new Gated(
                Rows.all(name(layer, "mlp.gate_proj"), shape.innerSize()),
                Rows.all(name(layer, "mlp.up_proj"), shape.innerSize()),
                name(layer, "mlp.down_proj"),
                activation);
    }

    /** An MLP with one matrix for gate and up, the gate first. */
    Gated packedMlp(int layer, Activation activation) {
        return packedMlp(name(layer, "mlp.gate_up_proj"), name(layer, "mlp.down_proj"), shape.innerSize(), activation);
    }

    /** The same under other names. */
    static Gated packedMlp(String gateAndUp, String down, int inner, Activation activation) {
        return new Gated(
                new Rows(gateAndUp, 0, inner, 2 * inner),
                new Rows(gateAndUp, inner, inner, 2 * inner),
                down,
                activation);
    }

    /** The weight of a part of a layer. */
    String name(int layer, String part) {
        return prefix + "layers." + layer + "." + part + ".weight";
    }
}
