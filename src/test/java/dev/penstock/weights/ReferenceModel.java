package dev.penstock.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Every supported architecture in plain 64-bit arithmetic, straight from the folder, to compare everything else with.
 * Written from the papers and the model cards, shares no code with the product, and is as slow as it is plain.
 * {@link ReferenceTensors} brings the tensors of all families to one set of names.
 */
public final class ReferenceModel {
    private final JsonNode config;
    private final String family;
    private final Map<String, double[]> tensors;
    private final int layers;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headSize;
    private final int vocab;
    private final double epsilon;

    private ReferenceModel(JsonNode config, Map<String, double[]> tensors) {
        this.config = config;
        family = config.get("model_type").asText();
        layers = number("num_hidden_layers", "num_layers");
        hidden = number("hidden_size");
        heads = number("num_attention_heads");
        vocab = number("vocab_size", "padded_vocab_size");
        kvHeads = config.hasNonNull("num_key_value_heads") || config.hasNonNull("multi_query_group_num")
                ? number("num_key_value_heads", "multi_query_group_num")
                : heads;
        headSize = config.hasNonNull("head_dim") || config.hasNonNull("kv_channels")
                ? number("head_dim", "kv_channels")
                : hidden / heads;
        epsilon = config.path("rms_norm_eps")
                .asDouble(config.path("layernorm_epsilon").asDouble());
        this.tensors = ReferenceTensors.renamed(tensors, family, heads * headSize, kvHeads * headSize, hidden);
    }

    /** Reads config.json and all safetensors of a folder. */
    public static ReferenceModel read(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            ObjectMapper json = new ObjectMapper();
            Map<String, double[]> tensors = new HashMap<>();
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
                ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
                int header = (int) bytes.getLong(0);
                byte[] text = new byte[header];
                bytes.get(8, text);
                json.readTree(text).properties().forEach(e -> {
                    if (!e.getKey().equals("__metadata__")) {
                        int from = e.getValue().get("data_offsets").get(0).asInt();
                        int to = e.getValue().get("data_offsets").get(1).asInt();
                        ByteBuffer data = bytes.slice(8 + header + from, to - from);
                        tensors.put(
                                e.getKey(),
                                numbers(
                                        data.order(ByteOrder.LITTLE_ENDIAN),
                                        e.getValue().get("dtype").asText()));
                    }
                });
            }
            JsonNode config = json.readTree(folder.resolve("config.json").toFile());
            return new ReferenceModel(config.hasNonNull("text_config") ? config.get("text_config") : config, tensors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the head is given for each token of a sequence, [tokens, hiddenSize]. */
    public double[][] hidden(int... tokens) {
        double[][] x = new double[tokens.length][];
        for (int t = 0; t < tokens.length; t++) {
            x[t] = row(tensor("embedding"), tokens[t], hidden);
        }
        multiply(x, family.startsWith("gemma") ? Math.sqrt(hidden) : optional("embedding_multiplier_scale", 1));
        for (int l = 0; l < layers; l++) {
            String layer = "layers." + l + ".";
            addNormed(x, attention(normed(x, layer + "before_attention"), l), layer + "after_attention");
            double[][] y = normed(x, layer + "before_mlp");
            boolean sparse = tensors.containsKey(layer + "router");
            addNormed(x, sparse ? experts(y, layer) : mlp(y, layer), layer + "after_mlp");
        }
        return normed(x, "norm");
    }

    /** Logits after each token of a sequence, [tokens, vocabSize]. */
    public double[][] logits(int... tokens) {
        boolean tied = optional("tie_word_embeddings", family.startsWith("gemma"));
        double[][] logits = product(hidden(tokens), tied ? "embedding" : "head", vocab);
        multiply(logits, optional("output_multiplier_scale", 1));
        double cap = optional("final_logit_softcapping", 0);
        if (cap != 0) {
            for (double[] row : logits) {
                for (int i = 0; i < vocab; i++) {
                    row[i] = cap * Math.tanh(row[i] / cap);
                }
            }
        }
        return logits;
    }

    /** The most likely next tokens, one after the other. */
    public int[] greedy(List<Integer> prompt, int count) {
        int[] tokens = prompt.stream().mapToInt(Integer::intValue).toArray();
        int[] all = Arrays.copyOf(tokens, tokens.length + count);
        for (int n = tokens.length; n < all.length; n++) {
            all[n] = argMax(logits(Arrays.copyOf(all, n))[n - 1]);
        }
        return Arrays.copyOfRange(all, tokens.length, all.length);
    }

    /** Index of the largest number. */
    public static int argMax(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }

    private double[][] attention(double[][] x, int layer) {
        String prefix = "layers." + layer + ".";
        double[][] q = projection(x, prefix + "query", heads);
        double[][] k = projection(x, prefix + "key", kvHeads);
        double[][] v = projection(x, prefix + "value", kvHeads);
        ReferenceRotary rotary = ReferenceRotary.of(config, headSize, windowed(layer));
        for (int t = 0; t < x.length; t++) {
            for (double[] vector : new double[][] {q[t], k[t]}) {
                if (tensors.containsKey(prefix + "query_norm")) {
                    normHeads(vector, prefix + (vector == q[t] ? "query_norm" : "key_norm"));
                }
                for (int head = 0; head < vector.length; head += headSize) {
                    rotary.rotate(vector, head, t);
                }
            }
        }
        int window = windowed(layer) ? config.get("sliding_window").asInt() : Integer.MAX_VALUE;
        double scale =
                optional("attn_output_multiplier", 1 / Math.sqrt(optional("query_pre_attn_scalar", (double) headSize)));
        double cap = optional("attn_logit_softcapping", optional("max_attn_value", 0));
        double[][] mixed = new double[x.length][heads * headSize];
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < heads; h++) {
                int kv = h / (heads / kvHeads) * headSize;
                int first = (int) Math.max(0, t + 1L - window);
                double[] weights = new double[t + 1 - first];
                for (int s = first; s <= t; s++) {
                    double score = 0;
                    for (int d = 0; d < headSize; d++) {
                        score += q[t][h * headSize + d] * k[s][kv + d];
                    }
                    weights[s - first] = cap == 0 ? score * scale : cap * Math.tanh(score * scale / cap);
                }
                weights = softmax(weights);
                for (int s = first; s <= t; s++) {
                    for (int d = 0; d < headSize; d++) {
                        mixed[t][h * headSize + d] += weights[s - first] * v[s][kv + d];
                    }
                }
            }
        }
        return product(mixed, prefix + "output", hidden);
    }

    private double[][] projection(double[][] x, String name, int count) {
        double[][] y = product(x, name, count * headSize);
        if (tensors.containsKey(name + ".bias")) {
            for (double[] row : y) {
                for (int i = 0; i < row.length; i++) {
                    row[i] += tensor(name + ".bias")[i];
                }
            }
        }
        return y;
    }

    private boolean windowed(int layer) {
        if (!config.hasNonNull("sliding_window")) {
            return false;
        }
        if (config.hasNonNull("layer_types") && !family.startsWith("qwen")) {
            return config.get("layer_types").get(layer).asText().equals("sliding_attention");
        }
        return switch (family) {
            case "qwen2", "qwen3" -> optional("use_sliding_window", false) && layer >= number("max_window_layers");
            case "gemma2" -> layer % 2 == 0;
            case "gemma3_text" -> (layer + 1) % (int) optional("sliding_window_pattern", 6) != 0;
            default -> true;
        };
    }

    private double[][] mlp(double[][] x, String prefix) {
        double[][] gate = product(x, prefix + "gate", tensor(prefix + "gate").length / hidden);
        double[][] up = product(x, prefix + "up", tensor(prefix + "up").length / hidden);
        boolean gelu = family.startsWith("gemma") || family.startsWith("grok");
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < gate[t].length; i++) {
                double g = gate[t][i];
                double activated = gelu
                        ? 0.5 * g * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g)))
                        : g / (1 + Math.exp(-g));
                gate[t][i] = activated * up[t][i];
            }
        }
        return product(gate, prefix + "down", hidden);
    }

    /** The two experts that the router gives most, weighted by that; Mixtral's weights add up to 1, Grok's do not. */
    private double[][] experts(double[][] x, String prefix) {
        int count = tensor(prefix + "router").length / hidden;
        int chosen = number("num_experts_per_tok", "num_selected_experts");
        double[][] result = new double[x.length][hidden];
        for (int t = 0; t < x.length; t++) {
            double[][] token = {x[t]};
            double[] weights = softmax(product(token, prefix + "router", count)[0]);
            List<Integer> best = new ArrayList<>();
            double sum = 0;
            for (int n = 0; n < chosen; n++) {
                double[] left = weights.clone();
                best.forEach(e -> left[e] = -1);
                best.add(argMax(left));
                sum += weights[best.getLast()];
            }
            for (int e : best) {
                double[] y = mlp(token, prefix + "experts." + e + ".")[0];
                for (int i = 0; i < hidden; i++) {
                    result[t][i] += weights[e] / (family.equals("mixtral") ? sum : 1) * y[i];
                }
            }
        }
        return result;
    }

    private static double[] softmax(double[] scores) {
        double max = Arrays.stream(scores).max().orElseThrow();
        double[] weights = Arrays.stream(scores).map(s -> Math.exp(s - max)).toArray();
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(w -> w / sum).toArray();
    }

    private double[][] normed(double[][] x, String weight) {
        double[][] result = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            result[t] = x[t].clone();
            norm(result[t], 0, hidden, weight);
        }
        return result;
    }

    private void normHeads(double[] vector, String weight) {
        for (int head = 0; head < vector.length; head += headSize) {
            norm(vector, head, headSize, weight);
        }
    }

    private void norm(double[] vector, int from, int count, String weight) {
        double squares = 0;
        for (int i = from; i < from + count; i++) {
            squares += vector[i] * vector[i];
        }
        double scale = 1 / Math.sqrt(squares / count + epsilon);
        double[] w = tensor(weight);
        for (int i = 0; i < count; i++) {
            vector[from + i] *= scale * (family.startsWith("gemma") ? 1 + w[i] : w[i]);
        }
    }

    private void addNormed(double[][] x, double[][] y, String norm) {
        double[][] z = tensors.containsKey(norm) ? normed(y, norm) : y;
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += z[t][i];
            }
        }
    }

    private double[][] product(double[][] x, String weight, int rows) {
        double[] w = tensor(weight);
        double[][] result = new double[x.length][rows];
        for (int t = 0; t < x.length; t++) {
            int columns = x[t].length;
            for (int r = 0; r < rows; r++) {
                double sum = 0;
                for (int c = 0; c < columns; c++) {
                    sum += x[t][c] * w[r * columns + c];
                }
                result[t][r] = sum;
            }
        }
        return result;
    }

    private static void multiply(double[][] x, double factor) {
        for (double[] row : x) {
            for (int i = 0; i < row.length; i++) {
                row[i] *= factor;
            }
        }
    }

    private int number(String... names) {
        return Arrays.stream(names)
                .filter(config::hasNonNull)
                .findFirst()
                .map(n -> config.get(n).asInt())
                .orElseThrow();
    }

    private double optional(String name, double absent) {
        return config.path(name).asDouble(absent);
    }

    private boolean optional(String name, boolean absent) {
        return config.path(name).asBoolean(absent);
    }

    private double[] tensor(String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    private static double[] row(double[] matrix, int row, int columns) {
        return Arrays.copyOfRange(matrix, row * columns, (row + 1) * columns);
    }

    private static double[] numbers(ByteBuffer bytes, String dtype) {
        int width = dtype.equals("F32") ? 4 : 2;
        double[] numbers = new double[bytes.remaining() / width];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = switch (dtype) {
                case "F32" -> bytes.getFloat(4 * i);
                case "F16" -> Float.float16ToFloat(bytes.getShort(2 * i));
                case "BF16" -> Float.intBitsToFloat(bytes.getShort(2 * i) << 16);
                default -> throw new IllegalArgumentException(dtype);
            };
        }
        return numbers;
    }
}
