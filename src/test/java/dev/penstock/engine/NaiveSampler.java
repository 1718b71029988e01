package dev.penstock.engine;

import dev.penstock.model.SamplingParams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** The definition of sampling, in 64-bit floats with a full sort: what {@link Sampler} is held to. */
final class NaiveSampler {
    private NaiveSampler() {}

    /** Probability of each token by id, 0 for those that are cut off. */
    static double[] probabilities(float[] raw, SamplingParams p, int[] prompt, int[] completion) {
        double[] logits = adjusted(raw, p, prompt, completion);
        Integer[] order = IntStream.range(0, logits.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble((Integer i) -> -logits[i]).thenComparingInt(i -> i));
        double[] result = new double[logits.length];
        if (p.temperature() == 0) {
            result[order[0]] = 1;
            return result;
        }
        double max = logits[order[0]];
        List<Integer> kept = new ArrayList<>();
        List<Double> weights = new ArrayList<>();
        for (int token : order) {
            double weight = Math.exp((logits[token] - max) / p.temperature());
            if (weight > 0 && weight >= p.minP() && (p.topK() == 0 || kept.size() < p.topK())) {
                kept.add(token);
                weights.add(weight);
            }
        }
        double total = weights.stream().mapToDouble(w -> w).sum();
        double ahead = 0;
        int nucleus = 0;
        while (nucleus < kept.size() && ahead < p.topP() * total) {
            ahead += weights.get(nucleus++);
        }
        for (int i = 0; i < nucleus; i++) {
            result[kept.get(i)] = weights.get(i) / ahead;
        }
        return result;
    }

    /** Natural logarithms of the model's own probabilities by id. */
    static double[] logprobs(float[] raw) {
        double max =
                IntStream.range(0, raw.length).mapToDouble(i -> raw[i]).max().orElseThrow();
        double sum = IntStream.range(0, raw.length)
                .mapToDouble(i -> Math.exp(raw[i] - max))
                .sum();
        return IntStream.range(0, raw.length)
                .mapToDouble(i -> raw[i] - max - Math.log(sum))
                .toArray();
    }

    private static double[] adjusted(float[] raw, SamplingParams p, int[] prompt, int[] completion) {
        double[] logits = new double[raw.length];
        for (int i = 0; i < raw.length; i++) {
            logits[i] = raw[i];
        }
        if (completion.length < p.minTokens()) {
            p.eosTokens().forEach(t -> logits[t] = Double.NEGATIVE_INFINITY);
            p.stopTokens().forEach(t -> logits[t] = Double.NEGATIVE_INFINITY);
        }
        p.logitBias().forEach((token, bias) -> logits[token] += bias);
        Set<Integer> seen = new HashSet<>();
        Arrays.stream(prompt).forEach(seen::add);
        Arrays.stream(completion).forEach(seen::add);
        for (int token : seen) {
            logits[token] =
                    logits[token] > 0 ? logits[token] / p.repetitionPenalty() : logits[token] * p.repetitionPenalty();
            long times = Arrays.stream(completion).filter(t -> t == token).count();
            logits[token] -= times * p.frequencyPenalty() + (times > 0 ? p.presencePenalty() : 0);
        }
        return logits;
    }
}
