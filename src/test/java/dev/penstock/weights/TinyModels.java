package dev.penstock.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Writes tiny random LLaMA models as Hugging Face folders, with nothing of the code under test. */
public final class TinyModels {
    private TinyModels() {}

    /**
     * A model to be written.
     *
     * @param name what tells it apart
     * @param headDim {@code head_dim} in config.json; 0 leaves it out
     * @param ropeScaling JSON of {@code rope_scaling}, or null
     * @param dtype F32, F16 or BF16
     * @param shards number of safetensors files
     */
    public record Tiny(
            String name,
            int layers,
            int hidden,
            int heads,
            int kvHeads,
            int headDim,
            int inner,
            int vocab,
            int context,
            boolean tied,
            double theta,
            @Nullable String ropeScaling,
            String dtype,
            int shards,
            long seed)
            implements TinyModel {

        /** Width of a head. */
        public int headSize() {
            return headDim == 0 ? hidden / heads : headDim;
        }

        public Tiny dtype(String value) {
            return new Tiny(
                    name,
                    layers,
                    hidden,
                    heads,
                    kvHeads,
                    headDim,
                    inner,
                    vocab,
                    context,
                    tied,
                    theta,
                    ropeScaling,
                    value,
                    shards,
                    seed);
        }

        public Tiny shards(int value) {
            return new Tiny(
                    name,
                    layers,
                    hidden,
                    heads,
                    kvHeads,
                    headDim,
                    inner,
                    vocab,
                    context,
                    tied,
                    theta,
                    ropeScaling,
                    dtype,
                    value,
                    seed);
        }

        @Override
        public boolean sparse() {
            return false;
        }

        /** Writes generation_config.json too. */
        @Override
        public Path write(Path folder) {
            try {
                Files.createDirectories(folder);
                Files.writeString(folder.resolve("config.json"), config());
                Files.writeString(
                        folder.resolve("generation_config.json"), "{\"bos_token_id\": 1, \"eos_token_id\": [2, 3]}");
                writeTensors(folder, tensors(), dtype, shards);
                return folder;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The text of config.json. */
        public String config() {
            return """
                    {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                     "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
                     "num_key_value_heads": %d, "vocab_size": %d, "max_position_embeddings": %d, "rms_norm_eps": 1e-05,
                     "rope_theta": %s, "tie_word_embeddings": %s, "head_dim": %s, "rope_scaling": %s,
                     "attention_bias": false, "bos_token_id": 1, "eos_token_id": 2}
                    """.formatted(
                            hidden,
                            inner,
                            layers,
                            heads,
                            kvHeads,
                            vocab,
                            context,
                            theta,
                            tied,
                            headDim == 0 ? "null" : headDim,
                            ropeScaling);
        }

        /** The tensors, by name. */
        public Map<String, Tensor> tensors() {
            Random random = new Random(seed);
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            int h = hidden;
            int q = heads * headSize();
            int kv = kvHeads * headSize();
            tensors.put("model.embed_tokens.weight", matrix(random, vocab, h, tied ? 1.2 / Math.sqrt(h) : 1));
            for (int l = 0; l < layers; l++) {
                String p = "model.layers." + l + ".";
                tensors.put(p + "input_layernorm.weight", norm(random, h));
                tensors.put(p + "self_attn.q_proj.weight", matrix(random, q, h, 1.4 / Math.sqrt(h)));
                tensors.put(p + "self_attn.k_proj.weight", matrix(random, kv, h, 1.4 / Math.sqrt(h)));
                tensors.put(p + "self_attn.v_proj.weight", matrix(random, kv, h, 1 / Math.sqrt(h)));
                tensors.put(p + "self_attn.o_proj.weight", matrix(random, h, q, 1 / Math.sqrt(q)));
                tensors.put(p + "post_attention_layernorm.weight", norm(random, h));
                tensors.put(p + "mlp.gate_proj.weight", matrix(random, inner, h, 1 / Math.sqrt(h)));
                tensors.put(p + "mlp.up_proj.weight", matrix(random, inner, h, 1 / Math.sqrt(h)));
                tensors.put(p + "mlp.down_proj.weight", matrix(random, h, inner, 1 / Math.sqrt(inner)));
            }
            tensors.put("model.norm.weight", norm(random, h));
            if (!tied) {
                tensors.put("lm_head.weight", matrix(random, vocab, h, 1 / Math.sqrt(h)));
            }
            return tensors;
        }

        private static Tensor matrix(Random random, int rows, int columns, double deviation) {
            float[] values = new float[rows * columns];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() * deviation);
            }
            return new Tensor(values, rows, columns);
        }

        private static Tensor norm(Random random, int size) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) (1 + 0.2 * random.nextGaussian());
            }
            return new Tensor(values, size);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Numbers in row-major order with their shape. */
    public record Tensor(float[] values, int... shape) {}

    /** As many key heads as query heads, as in LLaMA 2 7B. */
    public static Tiny mha() {
        return new Tiny("mha", 2, 64, 4, 4, 0, 96, 256, 128, false, 1e4, null, "F32", 1, 11);
    }

    /** Grouped heads, as in LLaMA 2 70B and TinyLlama. */
    public static Tiny gqa() {
        return new Tiny("gqa", 2, 64, 8, 2, 0, 128, 256, 128, false, 1e4, null, "F32", 1, 12);
    }

    /** One key head, tied head. */
    public static Tiny mqaTied() {
        return new Tiny("mqa tied", 2, 64, 4, 1, 0, 128, 320, 128, true, 1e4, null, "F32", 1, 13);
    }

    /** Rope scaling as in LLaMA 3.1, tied head as in 3.2. */
    public static Tiny llama3() {
        String scaling = "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
                + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 32}";
        return new Tiny("llama3 rope", 2, 64, 4, 2, 0, 128, 256, 256, true, 5e5, scaling, "F32", 1, 14);
    }

    /** Linear rope scaling in the older spelling. */
    public static Tiny linearRope() {
        String scaling = "{\"type\": \"linear\", \"factor\": 4.0}";
        return new Tiny("linear rope", 2, 64, 4, 2, 0, 128, 256, 256, false, 1e4, scaling, "F32", 1, 15);
    }

    /** Heads that together are wider than the residual stream. */
    public static Tiny headDim() {
        return new Tiny("head_dim", 2, 64, 4, 2, 32, 128, 256, 128, false, 1e4, null, "F32", 1, 16);
    }

    /** Nothing is a multiple of a block of 32: hidden 72, inner 172, head size 24, odd vocabulary; one layer. */
    public static Tiny oddSizes() {
        return new Tiny("odd sizes", 1, 72, 3, 1, 0, 172, 261, 100, false, 1e4, null, "F32", 1, 17);
    }

    /** Like {@link #oddSizes} with a tied head and head size 8. */
    public static Tiny oddTied() {
        return new Tiny("odd sizes, tied", 3, 40, 5, 5, 0, 108, 131, 100, true, 1e4, null, "F32", 1, 18);
    }

    /** One of each kind. */
    public static Stream<Tiny> all() {
        return Stream.of(
                mha(),
                gqa(),
                mqaTied(),
                llama3(),
                linearRope(),
                headDim(),
                oddSizes(),
                oddTied(),
                gqa().dtype("BF16").shards(3),
                mqaTied().dtype("F16"));
    }

    /** Writes tensors as one model.safetensors, or as shards with an index. */
    public static void writeTensors(Path folder, Map<String, Tensor> tensors, String dtype, int shards)
            throws IOException {
        if (shards == 1) {
            Files.write(folder.resolve("model.safetensors"), safetensors(tensors, dtype));
            return;
        }
        List<Map<String, Tensor>> parts = new ArrayList<>();
        for (int i = 0; i < shards; i++) {
            parts.add(new LinkedHashMap<>());
        }
        StringBuilder index = new StringBuilder("{\"metadata\": {}, \"weight_map\": {");
        int n = 0;
        for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
            int shard = n * shards / tensors.size();
            parts.get(shard).put(e.getKey(), e.getValue());
            index.append(n++ == 0 ? "" : ", ").append("\"%s\": \"%s\"".formatted(e.getKey(), shardName(shard, shards)));
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), index + "}}");
        for (int i = 0; i < shards; i++) {
            Files.write(folder.resolve(shardName(i, shards)), safetensors(parts.get(i), dtype));
        }
    }

    private static String shardName(int shard, int shards) {
        return "model-%05d-of-%05d.safetensors".formatted(shard + 1, shards);
    }

    /** The bytes of a safetensors file. */
    public static byte[] safetensors(Map<String, Tensor> tensors, String dtype) {
        int width = dtype.equals("F32") ? 4 : 2;
        StringBuilder header = new StringBuilder("{\"__metadata__\": {\"format\": \"pt\"}");
        int at = 0;
        for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
            int end = at + e.getValue().values().length * width;
            header.append(", \"%s\": {\"dtype\": \"%s\", \"shape\": %s, \"data_offsets\": [%d, %d]}"
                    .formatted(e.getKey(), dtype, Arrays.toString(e.getValue().shape()), at, end));
            at = end;
        }
        ByteBuffer data = ByteBuffer.allocate(at).order(ByteOrder.LITTLE_ENDIAN);
        for (Tensor tensor : tensors.values()) {
            for (float value : tensor.values()) {
                switch (dtype) {
                    case "F32" -> data.putFloat(value);
                    case "F16" -> data.putShort(Float.floatToFloat16(value));
                    case "BF16" -> data.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                    default -> throw new IllegalArgumentException(dtype);
                }
            }
        }
        return safetensors(header.append("}").toString(), data.array());
    }

    /** A safetensors file with that header, whatever it says. */
    public static byte[] safetensors(String header, byte[] data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .array();
    }
}
