package dev.penstock.onnx.attention;

/** Attention written down plainly, one sequence at a time, in double precision and with no cache. */
final class NaiveAttention {
    private NaiveAttention() {}

    /**
     * Attention of the tokens of one sequence from {@code from} on.
     *
     * @param query [tokens][heads * headSize]
     * @param key [tokens][kvHeads * headSize]
     * @param value [tokens][kvHeads * headSize]
     * @param cos [context][half], as is sin
     * @return [tokens][heads * headSize]; rows before {@code from} are 0
     */
    static double[][] attend(
            AttentionConfig config,
            int headSize,
            int from,
            double[][] query,
            double[][] key,
            double[][] value,
            float[][] cos,
            float[][] sin) {
        int tokens = query.length;
        double scale = config.scale() == 0 ? 1 / Math.sqrt(headSize) : config.scale();
        double[][] out = new double[tokens][config.heads() * headSize];
        double[][] q = rotated(config, headSize, query, cos, sin);
        double[][] k = rotated(config, headSize, key, cos, sin);
        for (int t = from; t < tokens; t++) {
            for (int h = 0; h < config.heads(); h++) {
                int kvHead = h / (config.heads() / config.kvHeads());
                int first = (int) Math.max(0, t + 1L - config.window());
                double[] weight = new double[t + 1];
                double max = Double.NEGATIVE_INFINITY;
                for (int j = first; j <= t; j++) {
                    double dot = 0;
                    for (int i = 0; i < headSize; i++) {
                        dot += q[t][h * headSize + i] * k[j][kvHead * headSize + i];
                    }
                    dot *= scale;
                    weight[j] = config.softcap() == 0 ? dot : config.softcap() * Math.tanh(dot / config.softcap());
                    max = Math.max(max, weight[j]);
                }
                double sum = 0;
                for (int j = first; j <= t; j++) {
                    weight[j] = Math.exp(weight[j] - max);
                    sum += weight[j];
                }
                for (int j = first; j <= t; j++) {
                    for (int i = 0; i < headSize; i++) {
                        out[t][h * headSize + i] += weight[j] / sum * value[j][kvHead * headSize + i];
                    }
                }
            }
        }
        return out;
    }

    private static double[][] rotated(
            AttentionConfig config, int headSize, double[][] rows, float[][] cos, float[][] sin) {
        double[][] out = new double[rows.length][];
        for (int t = 0; t < rows.length; t++) {
            out[t] = rows[t].clone();
            if (!config.rotary()) {
                continue;
            }
            int half = cos[t].length;
            for (int head = 0; head < rows[t].length; head += headSize) {
                for (int i = 0; i < half; i++) {
                    int a = head + (config.interleaved() ? 2 * i : i);
                    int b = head + (config.interleaved() ? 2 * i + 1 : i + half);
                    out[t][a] = rows[t][a] * cos[t][i] - rows[t][b] * sin[t][i];
                    out[t][b] = rows[t][b] * cos[t][i] + rows[t][a] * sin[t][i];
                }
            }
        }
        return out;
    }
}
