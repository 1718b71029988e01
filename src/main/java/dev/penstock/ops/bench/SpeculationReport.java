package dev.penstock.ops.bench;

import java.util.List;
import java.util.Locale;

/**
 * What drafts gain and cost; its JSON is this record.
 *
 * @param model folder or name of the shape
 * @param precision of the weights
 * @param kv type of the KV cache
 * @param threads threads of a step
 * @param tokens of each prompt, and of each text
 * @param results a line for each batch and kind of text
 */
public record SpeculationReport(
        String model, String precision, String kv, int threads, int tokens, List<Result> results) {

    /**
     * One kind of text.
     *
     * @param text its name
     * @param description what of it repeats the prompt
     * @param batch sequences at once
     * @param without median tokens a second of all together, without drafts
     * @param with the same with drafts, in turn with the other
     * @param lowRatio lower quartile of how many times as fast the one was as the other just before or after it
     * @param ratio the median
     * @param highRatio the upper quartile
     * @param scheduleWithoutUs median microseconds to choose and lay out a step's tokens, without drafts
     * @param scheduleWithUs the same with drafts, those being looked for
     * @param drafted drafts a token of text
     * @param accepted drafts a token of text that were right
     */
    public record Result(
            String text,
            String description,
            int batch,
            double without,
            double with,
            double lowRatio,
            double ratio,
            double highRatio,
            double scheduleWithoutUs,
            double scheduleWithUs,
            double drafted,
            double accepted) {}

    /** A table for people. */
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, %s, KV %s, %d threads; prompts and texts of %d tokens, in tokens/s%n%n",
                model,
                precision,
                kv,
                threads,
                tokens));
        text.append(String.format(
                "%-8s %-22s %6s %10s %10s %7s %16s %14s %9s %9s%n",
                "text", "", "batch", "without", "with", "ratio", "quartiles", "schedule us", "drafted", "accepted"));
        for (Result r : results) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-8s %-22s %6d %10.1f %10.1f %7.3f   %.3f to %.3f %5.0f to %5.0f %9.2f %9.2f%n",
                    r.text,
                    r.description,
                    r.batch,
                    r.without,
                    r.with,
                    r.ratio,
                    r.lowRatio,
                    r.highRatio,
                    r.scheduleWithoutUs,
                    r.scheduleWithUs,
                    r.drafted,
                    r.accepted));
        }
        return text.toString();
    }
}
