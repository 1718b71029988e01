package dev.penstock.ops.quality;

import java.util.List;
import java.util.Locale;

/**
 * What each way to store a model costs; its JSON is this record.
 *
 * @param model folder, or name of the embedded model
 * @param text the file that was predicted
 * @param tokens positions of it that were predicted
 * @param window tokens of a sequence at most
 * @param threads threads of a step
 * @param results a line for each way, full precision first
 */
public record QualityReport(String model, String text, long tokens, int window, int threads, List<Result> results) {

    /**
     * One way to store weights and KV cache.
     *
     * @param precision of the weights
     * @param rounding of its 4-bit codes; {@code -} where it has none
     * @param kv type of the KV cache
     * @param weightBytes bytes of the variant's weights
     * @param kvBytesPerToken bytes that a token takes in the KV cache
     * @param perplexity of the text
     * @param loss how much larger that is than full precision's, as a share of it
     * @param divergence mean Kullback-Leibler divergence from full precision's predictions, in nats
     * @param agreement share of positions at which the most likely token is that of full precision
     * @param prefillTokensPerSecond of a short prompt
     * @param decodeTokensPerSecond of one sequence
     */
    public record Result(
            String precision,
            String rounding,
            String kv,
            long weightBytes,
            long kvBytesPerToken,
            double perplexity,
            double loss,
            double divergence,
            double agreement,
            double prefillTokensPerSecond,
            double decodeTokensPerSecond) {}

    /** A table for people. */
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s on %s: %,d tokens in windows of %d, %d threads%n%n",
                model,
                this.text,
                tokens,
                window,
                threads));
        text.append(String.format(
                "%-9s %-8s %-5s %10s %8s %11s %8s %10s %7s %10s %9s%n",
                "weights",
                "rounding",
                "KV",
                "MiB",
                "KV B/tok",
                "perplexity",
                "loss",
                "KL, nats",
                "top-1",
                "prefill/s",
                "decode/s"));
        for (Result r : results) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-9s %-8s %-5s %10.1f %8d %11.4f %+7.2f%% %10.6f %6.2f%% %10.0f %9.0f%n",
                    r.precision,
                    r.rounding,
                    r.kv,
                    r.weightBytes / (double) (1 << 20),
                    r.kvBytesPerToken,
                    r.perplexity,
                    100 * r.loss,
                    r.divergence,
                    100 * r.agreement,
                    r.prefillTokensPerSecond,
                    r.decodeTokensPerSecond));
        }
        return text.toString();
    }
}
