package dev.penstock.weights;

import dev.penstock.weights.TinyModels.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiConsumer;

/** Puts a model together. */
final class TinyMaker {
    static final int VOCAB = 256;

    final String name;
    final int hidden;
    final int heads;
    final int kvHeads;
    final int headSize;
    final int inner;
    final int layers;
    final Random random;
    private final Map<String, String> config = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private Map<String, String> renaming = Map.of();
    private boolean tied;

    /** With the members and tensors that nearly all have. */
    TinyMaker(
            String name,
            String architecture,
            String type,
            int hidden,
            int heads,
            int kvHeads,
            int headSize,
            int inner) {
        this(name, architecture, type, hidden, heads, kvHeads, headSize, inner, TinyFamilies.LAYERS);
    }

    /** With so many layers. */
    TinyMaker(
            String name,
            String architecture,
            String type,
            int hidden,
            int heads,
            int kvHeads,
            int headSize,
            int inner,
            int layers) {
        this.name = name;
        this.hidden = hidden;
        this.heads = heads;
        this.kvHeads = kvHeads;
        this.headSize = headSize;
        this.inner = inner;
        this.layers = layers;
        random = new Random(name.hashCode());
        set("architectures", "[\"" + architecture + "\"]");
        set("model_type", "\"" + type + "\"");
        set("hidden_size", hidden);
        set("intermediate_size", inner);
        set("num_hidden_layers", layers);
        set("num_attention_heads", heads);
        set("num_key_value_heads", kvHeads);
        set("vocab_size", VOCAB);
        set("max_position_embeddings", 128);
        set("rms_norm_eps", "1e-05");
        set("tie_word_embeddings", "false");
    }

    TinyMaker set(String member, Object json) {
        config.put(member, json.toString());
        return this;
    }

    TinyMaker remove(String... members) {
        config.keySet().removeAll(Set.of(members));
        return this;
    }

    /** Parts of the names of tensors added later become others, in this order. */
    TinyMaker rename(Map<String, String> names) {
        renaming = names;
        return this;
    }

    private TinyMaker add(String name, Tensor tensor) {
        String renamed = name;
        for (Map.Entry<String, String> e : renaming.entrySet()) {
            renamed = renamed.replace(e.getKey(), e.getValue());
        }
        tensors.put(renamed, tensor);
        return this;
    }

    /** The head is the embedding table. */
    TinyMaker tie() {
        tied = true;
        tensors.remove("lm_head.weight");
        return set("tie_word_embeddings", "true");
    }

    /** The head is a matrix of its own, in a family whose head is mostly tied. */
    TinyMaker untie() {
        tied = false;
        return set("tie_word_embeddings", "false").matrix("lm_head.weight", VOCAB, hidden, 1);
    }

    /** Adds to each layer, whose names begin as the consumer is told. */
    TinyMaker eachLayer(BiConsumer<TinyMaker, String> part) {
        for (int l = 0; l < layers; l++) {
            part.accept(this, "model.layers." + l + ".");
        }
        return this;
    }

    /** Embedding, norms and head by the usual names, and matrices for query, key, value and output each. */
    TinyMaker separate(double normMean) {
        int q = heads * headSize;
        int kv = kvHeads * headSize;
        return frame(normMean)
                .eachLayer((m, p) -> m.matrix(p + "self_attn.q_proj.weight", q, hidden, 1.4)
                        .matrix(p + "self_attn.k_proj.weight", kv, hidden, 1.4)
                        .matrix(p + "self_attn.v_proj.weight", kv, hidden, 1)
                        .matrix(p + "self_attn.o_proj.weight", hidden, q, 1));
    }

    /** Embedding, head and the norms that nearly all have, whose weights are scattered around {@code mean}. */
    TinyMaker frame(double mean) {
        return matrix("model.embed_tokens.weight", VOCAB, hidden, 1)
                .matrix("lm_head.weight", VOCAB, hidden, 1)
                .norm("model.norm.weight", hidden, mean)
                .norms("input_layernorm", mean)
                .norms("post_attention_layernorm", mean);
    }

    /** A norm in each layer. */
    TinyMaker norms(String part, double mean) {
        return eachLayer((m, p) -> m.norm(p + part + ".weight", hidden, mean));
    }

    /** Norms of query and key heads. */
    TinyMaker headNorms(double mean) {
        return eachLayer((m, p) -> m.norm(p + "self_attn.q_norm.weight", headSize, mean)
                .norm(p + "self_attn.k_norm.weight", headSize, mean));
    }

    /** Biases of query, key and value. */
    TinyMaker biases() {
        return eachLayer((m, p) -> m.vector(p + "self_attn.q_proj.bias", heads * headSize, 0.5)
                .vector(p + "self_attn.k_proj.bias", kvHeads * headSize, 0.5)
                .vector(p + "self_attn.v_proj.bias", kvHeads * headSize, 0.5));
    }

    /** Matrices for gate, up and down. */
    TinyMaker mlp() {
        return eachLayer((m, p) -> m.matrix(p + "mlp.gate_proj.weight", inner, hidden, 1)
                .matrix(p + "mlp.up_proj.weight", inner, hidden, 1)
                .matrix(p + "mlp.down_proj.weight", hidden, inner, 1));
    }

    /** One matrix for gate and up. */
    TinyMaker packedMlp() {
        return eachLayer((m, p) -> m.matrix(p + "mlp.gate_up_proj.weight", 2 * inner, hidden, 1)
                .matrix(p + "mlp.down_proj.weight", hidden, inner, 1));
    }

    TinyMaker silu() {
        return set("hidden_act", "\"silu\"").mlp();
    }

    /** Numbers whose sums over a row of inputs of deviation 1 have that deviation. */
    TinyMaker matrix(String tensor, int rows, int columns, double deviation) {
        return add(tensor, gaussian(0, deviation / Math.sqrt(columns), rows, columns));
    }

    TinyMaker norm(String tensor, int size, double mean) {
        return add(tensor, gaussian(mean, 0.2, size));
    }

    TinyMaker vector(String tensor, int size, double deviation) {
        return add(tensor, gaussian(0, deviation, size));
    }

    Tensor gaussian(double mean, double deviation, int... shape) {
        int count = 1;
        for (int dim : shape) {
            count *= dim;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return new Tensor(values, shape);
    }

    @Override
    public String toString() {
        return name + " " + config;
    }

    TinyFamilies.Folder build() {
        return new TinyFamilies.Folder(name, config, tensors, VOCAB, tied, name.hashCode());
    }
}
