package dev.penstock.embed;

import dev.penstock.prompt.EncoderInput;
import dev.penstock.weights.TinyModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;

/**
 * A tiny random encoder of BERT's or RoBERTa's kind, as a folder and, independently and from their papers, in 64-bit floats.
 */
final class TinyBert {
    static final int VOCAB = 50;
    static final int HIDDEN = 32;
    static final int LAYERS = 2;
    static final int HEADS = 4;
    static final int INNER = 64;
    static final int POSITIONS = 40;
    static final double EPSILON = 1e-5;

    private final boolean roberta;
    private final boolean classifier;
    private final String prefix;
    private final Map<String, TinyModels.Tensor> tensors = new LinkedHashMap<>();
    private final Random random;

    TinyBert(boolean roberta, boolean classifier, long seed) {
        this.roberta = roberta;
        this.classifier = classifier;
        random = new Random(seed);
        String base = roberta ? "roberta." : "bert.";
        prefix = classifier ? base : "";
        add(prefix + "embeddings.word_embeddings.weight", VOCAB, HIDDEN);
        add(prefix + "embeddings.position_embeddings.weight", POSITIONS, HIDDEN);
        add(prefix + "embeddings.token_type_embeddings.weight", types(), HIDDEN);
        norm(prefix + "embeddings.LayerNorm");
        for (int l = 0; l < LAYERS; l++) {
            String layer = prefix + "encoder.layer." + l + ".";
            for (String part : new String[] {"query", "key", "value"}) {
                linear(layer + "attention.self." + part, HIDDEN, HIDDEN);
            }
            linear(layer + "attention.output.dense", HIDDEN, HIDDEN);
            norm(layer + "attention.output.LayerNorm");
            linear(layer + "intermediate.dense", INNER, HIDDEN);
            linear(layer + "output.dense", HIDDEN, INNER);
            norm(layer + "output.LayerNorm");
        }
        if (classifier) {
            linear(roberta ? "classifier.dense" : "bert.pooler.dense", HIDDEN, HIDDEN);
            linear(roberta ? "classifier.out_proj" : "classifier", 1, HIDDEN);
        }
    }

    private int types() {
        return roberta ? 1 : 2;
    }

    private void add(String name, int... shape) {
        int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * 0.3);
        }
        tensors.put(name, new TinyModels.Tensor(values, shape));
    }

    private void linear(String name, int rows, int columns) {
        add(name + ".weight", rows, columns);
        add(name + ".bias", rows);
    }

    private void norm(String name) {
        add(name + ".weight", HIDDEN);
        add(name + ".bias", HIDDEN);
    }

    Path write(Path folder) {
        String kind = roberta ? "XLMRoberta" : "Bert";
        EncoderFolders.write(folder, "config.json", """
                {'architectures': ['%s'], 'model_type': '%s', 'vocab_size': %d, 'hidden_size': %d, 'num_hidden_layers': %d,
                 'num_attention_heads': %d, 'intermediate_size': %d, 'max_position_embeddings': %d, 'type_vocab_size': %d,
                 'layer_norm_eps': %s, 'pad_token_id': %d, 'hidden_act': 'gelu', 'id2label': {'0': 'LABEL_0'}}
                """.formatted(
                        kind + (classifier ? "ForSequenceClassification" : "Model"),
                        roberta ? "xlm-roberta" : "bert",
                        VOCAB,
                        HIDDEN,
                        LAYERS,
                        HEADS,
                        INNER,
                        POSITIONS,
                        types(),
                        EPSILON,
                        roberta ? 1 : 0));
        try {
            TinyModels.writeTensors(folder, tensors, "F32", 1);
            return Files.isDirectory(folder) ? folder : folder.toAbsolutePath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The last layer's vectors, [tokens, HIDDEN]. */
    double[][] vectors(EncoderInput input) {
        int n = input.length();
        double[][] x = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] word = row(prefix + "embeddings.word_embeddings.weight", input.tokens()[t], HIDDEN);
            // RoBERTa counts from behind its padding token, which is 1.
            double[] place = row(prefix + "embeddings.position_embeddings.weight", roberta ? t + 2 : t, HIDDEN);
            double[] kind =
                    row(prefix + "embeddings.token_type_embeddings.weight", roberta ? 0 : input.types()[t], HIDDEN);
            x[t] = normed(sum(sum(word, place), kind), prefix + "embeddings.LayerNorm");
        }
        for (int l = 0; l < LAYERS; l++) {
            String layer = prefix + "encoder.layer." + l + ".";
            double[][] attended = attention(x, layer + "attention.self.");
            for (int t = 0; t < n; t++) {
                double[] y = linear(attended[t], layer + "attention.output.dense", HIDDEN);
                x[t] = normed(sum(x[t], y), layer + "attention.output.LayerNorm");
                double[] inner = map(linear(x[t], layer + "intermediate.dense", INNER), TinyBert::gelu);
                x[t] = normed(sum(x[t], linear(inner, layer + "output.dense", HIDDEN)), layer + "output.LayerNorm");
            }
        }
        return x;
    }

    double logit(EncoderInput input) {
        double[] first = vectors(input)[0];
        double[] dense = linear(first, roberta ? "classifier.dense" : "bert.pooler.dense", HIDDEN);
        return linear(map(dense, Math::tanh), roberta ? "classifier.out_proj" : "classifier", 1)[0];
    }

    private double[][] attention(double[][] x, String self) {
        int size = HIDDEN / HEADS;
        double[][] q =
                Arrays.stream(x).map(v -> linear(v, self + "query", HIDDEN)).toArray(double[][]::new);
        double[][] k =
                Arrays.stream(x).map(v -> linear(v, self + "key", HIDDEN)).toArray(double[][]::new);
        double[][] v =
                Arrays.stream(x).map(y -> linear(y, self + "value", HIDDEN)).toArray(double[][]::new);
        double[][] result = new double[x.length][HIDDEN];
        for (int h = 0; h < HEADS; h++) {
            for (int t = 0; t < x.length; t++) {
                double[] shares = new double[x.length];
                double total = 0;
                for (int s = 0; s < x.length; s++) {
                    double product = 0;
                    for (int i = h * size; i < (h + 1) * size; i++) {
                        product += q[t][i] * k[s][i];
                    }
                    shares[s] = Math.exp(product / Math.sqrt(size));
                    total += shares[s];
                }
                for (int s = 0; s < x.length; s++) {
                    for (int i = h * size; i < (h + 1) * size; i++) {
                        result[t][i] += shares[s] / total * v[s][i];
                    }
                }
            }
        }
        return result;
    }

    private float[] values(String name) {
        return Objects.requireNonNull(tensors.get(name), name).values();
    }

    private double[] row(String name, int row, int columns) {
        double[] result = new double[columns];
        for (int i = 0; i < columns; i++) {
            result[i] = values(name)[row * columns + i];
        }
        return result;
    }

    private double[] linear(double[] x, String name, int rows) {
        double[] result = row(name + ".bias", 0, rows);
        float[] weight = values(name + ".weight");
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < x.length; c++) {
                result[r] += weight[r * x.length + c] * x[c];
            }
        }
        return result;
    }

    private double[] normed(double[] x, String name) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] weight = row(name + ".weight", 0, HIDDEN);
        double[] result = row(name + ".bias", 0, HIDDEN);
        for (int i = 0; i < HIDDEN; i++) {
            result[i] += weight[i] * (x[i] - mean) / Math.sqrt(variance + EPSILON);
        }
        return result;
    }

    private static double[] sum(double[] a, double[] b) {
        double[] result = a.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] += b[i];
        }
        return result;
    }

    private static double[] map(double[] x, DoubleUnaryOperator function) {
        return Arrays.stream(x).map(function).toArray();
    }

    /** x times the standard normal distribution's share below x, summed up by Simpson's rule. */
    private static double gelu(double x) {
        int steps = 200;
        double width = x / steps;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double at = i * width;
            sum += Math.exp(-at * at / 2) * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
        }
        return x * (0.5 + sum * width / 3 / Math.sqrt(2 * Math.PI));
    }
}
