package dev.penstock.ops.bench;

import java.util.ArrayList;
import java.util.List;

/** One thing that is timed. */
public sealed interface BenchCase {

    /** Tokens whose keys and values the KV cache holds in the end, {@code steps} timed steps counted in. */
    int tokensPerSequence(int steps);

    /** Sequences at once. */
    int sequences();

    /**
     * A prompt computed from nothing, up to the logits of its last token.
     *
     * @param tokens its length
     */
    record Prompt(int tokens) implements BenchCase {
        @Override
        public int tokensPerSequence(int steps) {
            return tokens;
        }

        @Override
        public int sequences() {
            return 1;
        }
    }

    /**
     * Steps that add one token to each of some sequences.
     *
     * @param batch sequences
     * @param context tokens that each has before the first step
     */
    record Decode(int batch, int context) implements BenchCase {
        @Override
        public int tokensPerSequence(int steps) {
            return context + steps;
        }

        @Override
        public int sequences() {
            return batch;
        }
    }

    /** All prompts, then for each context all batches, in the order given. */
    static List<BenchCase> of(List<Integer> prompts, List<Integer> batches, List<Integer> contexts) {
        List<BenchCase> cases = new ArrayList<>();
        prompts.forEach(tokens -> cases.add(new Prompt(tokens)));
        contexts.forEach(context -> batches.forEach(batch -> cases.add(new Decode(batch, context))));
        return List.copyOf(cases);
    }
}
