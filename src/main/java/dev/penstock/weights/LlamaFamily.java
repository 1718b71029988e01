package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * LLaMA 1, 2, 3, 3.1 and 3.2 (text): RMSNorm before attention and MLP, rotary embedding over the whole head, grouped
 * heads, SiLU gate, no biases. Defaults of absent members are those of LlamaConfig in Hugging Face transformers.
 */
final class LlamaFamily implements DecoderFamily {
    // Bounds far beyond any model there is, and small enough that products of two dimensions stay sane.
    private static final int MAX_LAYERS = 1 << 10;
    private static final int MAX_WIDTH = 1 << 18;
    private static final int MAX_INNER = 1 << 20;
    private static final int MAX_HEADS = 1 << 12;
    private static final int MAX_VOCAB = 1 << 22;
    private static final int MAX_CONTEXT = 1 << 24;

    /** What the attention op takes. */
    private static final int MIN_HEAD_SIZE = 8;

    private static final int MAX_HEAD_SIZE = 256;

    @Override
    public String name() {
        return "llama";
    }

    @Override
    public Set<String> architectures() {
        return Set.of("LlamaForCausalLM");
    }

    @Override
    public DecoderSpec describe(JsonFile config) {
        refuseUnsupported(config);
        int layers = config.requiredInt("num_hidden_layers", 1, MAX_LAYERS);
        int hidden = config.requiredInt("hidden_size", 1, MAX_WIDTH);
        int inner = config.requiredInt("intermediate_size", 1, MAX_INNER);
        int heads = config.requiredInt("num_attention_heads", 1, MAX_HEADS);
        int kvHeads = config.optionalInt("num_key_value_heads", 1, MAX_HEADS).orElse(heads);
        int vocab = config.requiredInt("vocab_size", 1, MAX_VOCAB);
        int context =
                config.optionalInt("max_position_embeddings", 1, MAX_CONTEXT).orElse(2048);
        if (heads % kvHeads != 0) {
            throw config.wrong("num_key_value_heads", "a divisor of num_attention_heads (" + heads + ")", kvHeads);
        }
        int headSize = headSize(config, hidden, heads);
        double epsilon = config.optionalDouble("rms_norm_eps", 0, 1).orElse(1e-6);
        boolean tied = config.optionalBoolean("tie_word_embeddings").orElse(false);
        DecoderShape shape = new DecoderShape(name(), layers, hidden, heads, kvHeads, headSize, inner, vocab, context);
        return spec(shape, epsilon, rotary(config, context), tied);
    }

    /** The description of a model with these dimensions and the family's tensor names. */
    static DecoderSpec spec(DecoderShape shape, double epsilon, RotaryEmbedding rotary, boolean tied) {
        return new DecoderSpec(
                shape,
                epsilon,
                rotary,
                tied,
                "model.embed_tokens.weight",
                "model.norm.weight",
                "lm_head.weight",
                IntStream.range(0, shape.layers()).mapToObj(LlamaFamily::layer).toList());
    }

    private static DecoderSpec.LayerTensors layer(int layer) {
        String prefix = "model.layers." + layer + ".";
        return new DecoderSpec.LayerTensors(
                prefix + "input_layernorm.weight",
                prefix + "self_attn.q_proj.weight",
                prefix + "self_attn.k_proj.weight",
                prefix + "self_attn.v_proj.weight",
                prefix + "self_attn.o_proj.weight",
                prefix + "post_attention_layernorm.weight",
                prefix + "mlp.gate_proj.weight",
                prefix + "mlp.up_proj.weight",
                prefix + "mlp.down_proj.weight");
    }

    private static void refuseUnsupported(JsonFile config) {
        String activation = config.optionalString("hidden_act").orElse("silu");
        if (!activation.equals("silu")) {
            throw config.wrong("hidden_act", "silu, as LLaMA models have it", activation);
        }
        for (String bias : new String[] {"attention_bias", "mlp_bias"}) {
            if (config.optionalBoolean(bias).orElse(false)) {
                throw config.wrong(bias, "false: biases in LLaMA models are not supported", true);
            }
        }
        config.object("quantization_config").ifPresent(q -> {
            throw config.wrong(
                    "quantization_config",
                    "weights that are not quantised (F32, F16 or BF16): Penstock quantises them itself",
                    q.optionalString("quant_method").orElse("one"));
        });
    }

    private static int headSize(JsonFile config, int hidden, int heads) {
        int headSize = config.optionalInt("head_dim", 1, MAX_WIDTH).orElse(hidden / heads);
        if (config.get("head_dim") == null && hidden % heads != 0) {
            throw config.wrong("num_attention_heads", "a divisor of hidden_size (" + hidden + ")", heads);
        }
        if (headSize < MIN_HEAD_SIZE || headSize > MAX_HEAD_SIZE || headSize % 2 != 0) {
            throw ModelFolderException.in(
                    config.file(),
                    "`head_dim` (hidden_size / num_attention_heads where it is absent): expected an even number from "
                            + MIN_HEAD_SIZE + " to " + MAX_HEAD_SIZE + ", found " + headSize);
        }
        return headSize;
    }

    /** transformers 5 writes one member {@code rope_parameters}; before, it was {@code rope_theta} and {@code rope_scaling}. */
    private static RotaryEmbedding rotary(JsonFile config, int context) {
        JsonFile parameters = config.object("rope_parameters").orElse(config);
        double theta = parameters.optionalDouble("rope_theta", 1, 1e12).orElse(10_000);
        JsonFile scaling = parameters == config ? config.object("rope_scaling").orElse(null) : parameters;
        if (scaling == null) {
            return new RotaryEmbedding(theta, new RopeScaling.None());
        }
        String type = scaling.optionalString("rope_type")
                .or(() -> scaling.optionalString("type"))
                .orElse("default");
        return new RotaryEmbedding(
                theta,
                switch (type) {
                    case "default" -> new RopeScaling.None();
                    case "linear" -> new RopeScaling.Linear(required(scaling, "factor"));
                    case "llama3" -> llama3(scaling, context);
                    default -> throw scaling.wrong("rope_type", "one of the supported: default, linear, llama3", type);
                });
    }

    private static RopeScaling llama3(JsonFile scaling, int context) {
        double low = required(scaling, "low_freq_factor");
        double high = required(scaling, "high_freq_factor");
        if (!(high > low)) {
            throw scaling.wrong("high_freq_factor", "more than low_freq_factor (" + low + ")", high);
        }
        int original = scaling.optionalInt("original_max_position_embeddings", 1, MAX_CONTEXT)
                .orElse(context);
        return new RopeScaling.Llama3(required(scaling, "factor"), low, high, original);
    }

    private static double required(JsonFile scaling, String name) {
        return scaling.optionalDouble(name, 1, 1e6).orElseThrow(() -> scaling.missing(name, "a number of at least 1"));
    }
}
