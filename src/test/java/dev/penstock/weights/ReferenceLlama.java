package dev.penstock.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The LLaMA architecture in plain 64-bit arithmetic, straight from the folder, to compare everything else with. Written
 * from the papers and the model cards, shares no code with the product, and is as slow as it is plain.
 */
public final class ReferenceLlama {
    private final Map<String, double[]> tensors;
    private final int layers;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headSize;
    private final int inner;
    private final int vocab;
    private final double epsilon;
    private final boolean tied;
    private final double[] frequencies;

    private ReferenceLlama(JsonNode config, Map<String, double[]> tensors) {
        this.tensors = tensors;
        layers = config.get("num_hidden_layers").asInt();
        hidden = config.get("hidden_size").asInt();
        heads = config.get("num_attention_heads").asInt();
        kvHeads = config.hasNonNull("num_key_value_heads")
                ? config.get("num_key_value_heads").asInt()
                : heads;
        headSize = config.hasNonNull("head_dim") ? config.get("head_dim").asInt() : hidden / heads;
        inner = config.get("intermediate_size").asInt();
        vocab = config.get("vocab_size").asInt();
        epsilon = config.get("rms_norm_eps").asDouble();
        tied = config.path("tie_word_embeddings").asBoolean(false);
        frequencies = frequencies(config.path("rope_theta").asDouble(10_000), config.path("rope_scaling"));
    }

    /** Reads config.json and all safetensors of a folder. */
    public static ReferenceLlama read(Path folder) {
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
                        JsonNode offsets = e.getValue().get("data_offsets");
                        tensors.put(
                                e.getKey(),
                                numbers(
                                        bytes.slice(
                                                        8
                                                                + header
                                                                + offsets.get(0).asInt(),
                                                        offsets.get(1).asInt()
                                                                - offsets.get(0).asInt())
                                                .order(ByteOrder.LITTLE_ENDIAN),
                                        e.getValue().get("dtype").asText()));
                    }
                });
            }
            return new ReferenceLlama(
                    json.readTree(folder.resolve("config.json").toFile()), tensors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Logits after each token of a sequence, [tokens, vocabSize]. */
    public double[][] logits(int... tokens) {
        double[][] x = new double[tokens.length][];
        for (int t = 0; t < tokens.length; t++) {
            x[t] = row(tensor("model.embed_tokens.weight"), tokens[t], hidden);
        }
        for (int l = 0; l < layers; l++) {
            String prefix = "model.layers." + l + ".";
            double[][] attended = attention(normed(x, prefix + "input_layernorm.weight"), prefix + "self_attn.");
            add(x, attended);
            add(x, mlp(normed(x, prefix + "post_attention_layernorm.weight"), prefix + "mlp."));
        }
        return product(normed(x, "model.norm.weight"), tied ? "model.embed_tokens.weight" : "lm_head.weight", vocab);
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

    private double[][] attention(double[][] x, String prefix) {
        double[][] q = product(x, prefix + "q_proj.weight", heads * headSize);
        double[][] k = product(x, prefix + "k_proj.weight", kvHeads * headSize);
        double[][] v = product(x, prefix + "v_proj.weight", kvHeads * headSize);
        for (int t = 0; t < x.length; t++) {
            rotate(q[t], t);
            rotate(k[t], t);
        }
        double[][] mixed = new double[x.length][heads * headSize];
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < heads; h++) {
                int kv = h / (heads / kvHeads) * headSize;
                double[] weights = new double[t + 1];
                double max = Double.NEGATIVE_INFINITY;
                for (int s = 0; s <= t; s++) {
                    for (int d = 0; d < headSize; d++) {
                        weights[s] += q[t][h * headSize + d] * k[s][kv + d];
                    }
                    weights[s] /= Math.sqrt(headSize);
                    max = Math.max(max, weights[s]);
                }
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    weights[s] = Math.exp(weights[s] - max);
                    sum += weights[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int d = 0; d < headSize; d++) {
                        mixed[t][h * headSize + d] += weights[s] / sum * v[s][kv + d];
                    }
                }
            }
        }
        return product(mixed, prefix + "o_proj.weight", hidden);
    }

    private double[][] mlp(double[][] x, String prefix) {
        double[][] gate = product(x, prefix + "gate_proj.weight", inner);
        double[][] up = product(x, prefix + "up_proj.weight", inner);
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < inner; i++) {
                gate[t][i] = gate[t][i] / (1 + Math.exp(-gate[t][i])) * up[t][i];
            }
        }
        return product(gate, prefix + "down_proj.weight", hidden);
    }

    private void rotate(double[] vector, int position) {
        int half = headSize / 2;
        for (int head = 0; head < vector.length; head += headSize) {
            for (int i = 0; i < half; i++) {
                double cos = Math.cos(position * frequencies[i]);
                double sin = Math.sin(position * frequencies[i]);
                double a = vector[head + i];
                double b = vector[head + half + i];
                vector[head + i] = a * cos - b * sin;
                vector[head + half + i] = b * cos + a * sin;
            }
        }
    }

    private double[] frequencies(double theta, JsonNode scaling) {
        double[] result = new double[headSize / 2];
        for (int i = 0; i < result.length; i++) {
            double frequency = 1 / Math.pow(theta, 2.0 * i / headSize);
            String type = scaling.path("rope_type").asText(scaling.path("type").asText());
            if (type.equals("linear")) {
                frequency /= scaling.get("factor").asDouble();
            } else if (type.equals("llama3")) {
                double wavelength = 2 * Math.PI / frequency;
                double context = scaling.get("original_max_position_embeddings").asDouble();
                double low = scaling.get("low_freq_factor").asDouble();
                double high = scaling.get("high_freq_factor").asDouble();
                double factor = scaling.get("factor").asDouble();
                if (wavelength > context / low) {
                    frequency /= factor;
                } else if (wavelength > context / high) {
                    double smooth = (context / wavelength - low) / (high - low);
                    frequency = (1 - smooth) * frequency / factor + smooth * frequency;
                }
            }
            result[i] = frequency;
        }
        return result;
    }

    private double[][] normed(double[][] x, String weight) {
        double[] w = tensor(weight);
        double[][] result = new double[x.length][hidden];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value;
            }
            double scale = 1 / Math.sqrt(squares / hidden + epsilon);
            for (int i = 0; i < hidden; i++) {
                result[t][i] = x[t][i] * scale * w[i];
            }
        }
        return result;
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

    private static void add(double[][] x, double[][] y) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += y[t][i];
            }
        }
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
