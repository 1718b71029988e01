package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.gemm.Activation;
import dev.penstock.weights.DecoderSpec.Norm;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * A decoder's config.json, by the member names that most families of Hugging Face share. What a method throws is a
 * {@link ModelFolderException} that names the member.
 */
final class DecoderConfig {
    // Bounds far beyond any model there is, and small enough that products of two dimensions stay sane.
    static final int MAX_LAYERS = 1 << 10;
    static final int MAX_WIDTH = 1 << 18;
    static final int MAX_INNER = 1 << 20;
    static final int MAX_HEADS = 1 << 12;
    static final int MAX_VOCAB = 1 << 22;
    static final int MAX_CONTEXT = 1 << 24;

    private static final int MAX_EXPERTS = 1 << 10;

    /** What the attention op takes. */
    private static final int MIN_HEAD_SIZE = 8;

    private static final int MAX_HEAD_SIZE = 256;

    private static final String ROTARY_PART = "partial_rotary_factor";

    /** Names of activations in config.json. */
    private static final Map<String, Activation> ACTIVATIONS = Map.of(
            "silu", Activation.SILU,
            "gelu_pytorch_tanh", Activation.GELU_TANH);

    private final JsonFile json;

    /**
     * Reads that file, whose weights must not be quantised.
     *
     * @param absent values of members that are missing, which Hugging Face transformers leaves out where they are its own
     */
    DecoderConfig(JsonFile file, Map<String, Object> absent) {
        json = file.withDefaults(absent);
        json.object("quantization_config").ifPresent(q -> {
            throw json.wrong(
                    "quantization_config",
                    "weights that are not quantised (F32, F16 or BF16): Penstock quantises them itself",
                    q.optionalString("quant_method").orElse("one"));
        });
    }

    /** The file. */
    JsonFile json() {
        return json;
    }

    /** The dimensions. */
    DecoderShape shape(String family) {
        int layers = json.requiredInt("num_hidden_layers", 1, MAX_LAYERS);
        int hidden = json.requiredInt("hidden_size", 1, MAX_WIDTH);
        int inner = json.requiredInt("intermediate_size", 1, MAX_INNER);
        int heads = json.requiredInt("num_attention_heads", 1, MAX_HEADS);
        int kvHeads = json.optionalInt("num_key_value_heads", 1, MAX_HEADS).orElse(heads);
        int vocab = json.requiredInt("vocab_size", 1, MAX_VOCAB);
        int context = json.requiredInt("max_position_embeddings", 1, MAX_CONTEXT);
        requireDivisor("num_key_value_heads", kvHeads, "num_attention_heads", heads);
        OptionalInt headSize = json.optionalInt("head_dim", 1, MAX_WIDTH);
        if (headSize.isEmpty()) {
            requireDivisor("num_attention_heads", heads, "hidden_size", hidden);
        }
        return new DecoderShape(
                family,
                layers,
                hidden,
                heads,
                kvHeads,
                requireHeadSize(
                        "`head_dim` (hidden_size / num_attention_heads where it is absent)",
                        headSize.orElse(hidden / heads)),
                inner,
                vocab,
                context);
    }

    /** The same dimensions with as many experts as that member tells, of which a token takes num_experts_per_tok. */
    DecoderShape withExperts(DecoderShape shape, String member) {
        int experts = json.requiredInt(member, 1, MAX_EXPERTS);
        return shape.withExperts(experts, json.requiredInt("num_experts_per_tok", 1, experts));
    }

    /** Refuses a member that does not divide another one. */
    void requireDivisor(String member, int value, String of, int dividend) {
        if (dividend % value != 0) {
            throw json.wrong(member, "a divisor of " + of + " (" + dividend + ")", value);
        }
    }

    /** Refuses a head size that the attention op does not take; returns it. */
    int requireHeadSize(String where, int headSize) {
        if (headSize < MIN_HEAD_SIZE || headSize > MAX_HEAD_SIZE || headSize % 2 != 0) {
            throw ModelFolderException.in(
                    json.file(),
                    where + ": expected an even number from " + MIN_HEAD_SIZE + " to " + MAX_HEAD_SIZE + ", found "
                            + headSize);
        }
        return headSize;
    }

    /** What all norms share, where weights are stored less {@code offset}. */
    Norm norm(double offset) {
        return new Norm(json.optionalDouble("rms_norm_eps", 0, 1).orElse(1e-6), offset);
    }

    /** Whether the head is the embedding table. */
    boolean tied() {
        return flag("tie_word_embeddings");
    }

    /** A factor or cap; {@code none} where there is none. */
    double positive(String member, double none) {
        return json.optionalDouble(member, 1e-6, 1e6).orElse(none);
    }

    /** A member that is true, or false if absent. */
    boolean flag(String member) {
        return json.optionalBoolean(member).orElse(false);
    }

    /** Refuses members that ask for what is not supported. */
    void refuse(String... members) {
        for (String member : members) {
            if (flag(member)) {
                throw json.wrong(member, "false: true is not supported in this family", true);
            }
        }
    }

    /** Refuses members that do not ask for what the family always has. */
    void require(String... members) {
        for (String member : members) {
            if (!flag(member)) {
                throw json.wrong(member, "true: false is not supported in this family", false);
            }
        }
    }

    /** Refuses an activation other than the family's. */
    void requireActivation(String member, Activation expected) {
        json.optionalString(member).ifPresent(name -> {
            if (ACTIVATIONS.get(name) != expected) {
                String names = String.join(
                        " or ",
                        ACTIVATIONS.keySet().stream()
                                .filter(n -> ACTIVATIONS.get(n) == expected)
                                .toList());
                throw json.wrong(member, names + ", as models of this family have it", name);
            }
        });
    }

    /**
     * The window of each layer: those that {@code layer_types} tells, or else those that {@code sliding} tells.
     *
     * @param size tokens of a window; empty for no windows at all
     */
    List<OptionalInt> windows(int layers, OptionalInt size, IntPredicate sliding) {
        List<String> types = json.strings("layer_types");
        if (!types.isEmpty() && types.size() != layers) {
            throw json.wrong("layer_types", layers + " of them, one for each layer", types.size());
        }
        for (String type : types) {
            if (!type.equals("sliding_attention") && !type.equals("full_attention")) {
                throw json.wrong("layer_types", "sliding_attention or full_attention", type);
            }
        }
        IntPredicate windowed = types.isEmpty() ? sliding : l -> types.get(l).equals("sliding_attention");
        return IntStream.range(0, layers)
                .mapToObj(l -> windowed.test(l) ? size : OptionalInt.empty())
                .toList();
    }

    /** {@code sliding_window}, if it is there. */
    OptionalInt slidingWindow() {
        return json.optionalInt("sliding_window", 1, MAX_CONTEXT);
    }

    /**
     * The rotary embedding of a model that has one for all layers. transformers 5 writes one member
     * {@code rope_parameters}; before, it was {@code rope_theta} and {@code rope_scaling}.
     */
    RotaryEmbedding rotary(DecoderShape shape, boolean interleaved) {
        Optional<JsonFile> parameters = json.object("rope_parameters");
        Optional<JsonFile> scaling = parameters.or(() -> json.object("rope_scaling"));
        JsonFile members = parameters.orElse(json);
        double part = members.optionalDouble(ROTARY_PART, 0.01, 1)
                .orElse(json.optionalDouble(ROTARY_PART, 0.01, 1).orElse(1));
        int width = (int) (shape.headSize() * part);
        if (width < 2 || width % 2 != 0) {
            throw members.wrong(ROTARY_PART, "an even part of a head of " + shape.headSize() + " numbers", part);
        }
        return new RotaryEmbedding(
                theta(members, "rope_theta", 10_000),
                scaling(scaling, width, shape.contextLength()),
                width,
                interleaved);
    }

    /** A base of frequencies. */
    double theta(JsonFile members, String member, double absent) {
        return members.optionalDouble(member, 1, 1e12)
                .orElse(json.optionalDouble(member, 1, 1e12).orElse(absent));
    }

    /** How frequencies are stretched, by {@code rope_scaling} or what has its members. */
    RopeScaling scaling(Optional<JsonFile> members, int width, int context) {
        if (members.isEmpty()) {
            return new RopeScaling.None();
        }
        JsonFile scaling = members.get();
        String type = scaling.optionalString("rope_type")
                .or(() -> scaling.optionalString("type"))
                .orElse("default");
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(required(scaling, "factor"));
            case "llama3" -> llama3(scaling, context);
            case "longrope", "su" -> longRope(scaling, width, context);
            default ->
                throw scaling.wrong("rope_type", "one of the supported: default, linear, llama3, longrope", type);
        };
    }

    private RopeScaling llama3(JsonFile scaling, int context) {
        double low = required(scaling, "low_freq_factor");
        double high = required(scaling, "high_freq_factor");
        if (!(high > low)) {
            throw scaling.wrong("high_freq_factor", "more than low_freq_factor (" + low + ")", high);
        }
        return new RopeScaling.Llama3(required(scaling, "factor"), low, high, originalContext(scaling, context));
    }

    /** The magnitude keeps the entropy of attention over a longer context: LongRoPE, as Phi-3 has it. */
    private RopeScaling longRope(JsonFile scaling, int width, int context) {
        int original = originalContext(scaling, context);
        double stretch = scaling.optionalDouble("factor", 1e-6, 1e6).orElse((double) context / original);
        double magnitude = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
        return new RopeScaling.LongRope(
                factors(scaling, "short_factor", width / 2),
                factors(scaling, "long_factor", width / 2),
                original,
                scaling.optionalDouble("attention_factor", 1e-6, 1e6).orElse(magnitude));
    }

    private static List<Double> factors(JsonFile scaling, String member, int count) {
        List<Double> factors = scaling.numbers(member, 1e-6, 1e6);
        if (factors.size() != count) {
            throw scaling.wrong(member, count + " numbers, one for each frequency", factors.size());
        }
        return factors;
    }

    private int originalContext(JsonFile scaling, int context) {
        String member = "original_max_position_embeddings";
        return scaling.optionalInt(member, 1, MAX_CONTEXT)
                .orElse(json.optionalInt(member, 1, MAX_CONTEXT).orElse(context));
    }

    private static double required(JsonFile scaling, String name) {
        return scaling.optionalDouble(name, 1, 1e6).orElseThrow(() -> scaling.missing(name, "a number of at least 1"));
    }
}
