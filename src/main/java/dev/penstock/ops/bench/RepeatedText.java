package dev.penstock.ops.bench;

import dev.penstock.model.GenerationRequest;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import dev.penstock.model.SamplingParams;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/**
 * Texts that repeat their prompt in a known way, said by any model: a constraint allows each token of a script, and beside it
 * one token that is never sampled, so that the script is no foregone conclusion to the engine. Prompts are random tokens.
 */
enum RepeatedText {
    /** The prompt, word for word. */
    QUOTE("the prompt again") {
        @Override
        int[] script(int[] prompt, int vocabSize, Random random) {
            return prompt.clone();
        }
    },
    /** The prompt with one token of ten replaced: code that is edited. */
    EDIT("1 token of 10 changed") {
        @Override
        int[] script(int[] prompt, int vocabSize, Random random) {
            int[] script = prompt.clone();
            for (int i = 0; i < script.length; i++) {
                script[i] = random.nextInt(10) == 0 ? random.nextInt(vocabSize) : script[i];
            }
            return script;
        }
    },
    /** Twelve new tokens, twelve of the prompt, and so on: a summary with quotes. */
    SUMMARY("12 tokens of 24 quoted") {
        @Override
        int[] script(int[] prompt, int vocabSize, Random random) {
            int[] script = random.ints(prompt.length, 0, vocabSize).toArray();
            for (int at = 12; at + 12 <= script.length; at += 24) {
                System.arraycopy(prompt, random.nextInt(prompt.length - 12), script, at, 12);
            }
            return script;
        }
    },
    /** Runs of two to four tokens of the prompt, each then left: whatever is drafted soon fails. */
    TRAPS("runs of 2 to 4") {
        @Override
        int[] script(int[] prompt, int vocabSize, Random random) {
            int[] script = new int[prompt.length];
            for (int at = 0; at < script.length; ) {
                int run = Math.min(2 + random.nextInt(3), script.length - at);
                System.arraycopy(prompt, random.nextInt(prompt.length - run), script, at, run);
                at += run;
            }
            return script;
        }
    },
    /** New tokens. */
    FRESH("nothing repeated") {
        @Override
        int[] script(int[] prompt, int vocabSize, Random random) {
            return random.ints(prompt.length, 0, vocabSize).toArray();
        }
    },
    /** What the model says itself at temperature 1. */
    FREE("no script") {
        @Override
        int[] script(int[] prompt, int vocabSize, Random random) {
            return prompt.clone();
        }
    };

    private final String description;

    RepeatedText(String description) {
        this.description = description;
    }

    /** What is repeated, in few words. */
    String description() {
        return description;
    }

    /** What is said after this prompt, as many tokens; all tokens are under {@code vocabSize}. */
    abstract int[] script(int[] prompt, int vocabSize, Random random);

    /** A request with a prompt of so many tokens, the same for each seed. */
    GenerationRequest request(int tokens, int vocabSize, int seed) {
        Random random = new Random(seed);
        int never = vocabSize - 1;
        int[] prompt = random.ints(tokens, 0, never).toArray();
        int[] script = script(prompt, never, random);
        SamplingParams.Builder sampling =
                SamplingParams.builder(tokens).ignoreEos(true).seed(seed);
        if (this != FREE) {
            sampling.constraint(new Script(script, never)).logitBias(Map.of(never, -1e6f));
        }
        return new GenerationRequest(name() + seed, prompt, sampling.build());
    }

    private record Script(int[] tokens, int never) implements OutputConstraint {
        @Override
        public OutputFollower follow() {
            return new Follower(this);
        }
    }

    private static final class Follower implements OutputFollower {
        private final Script script;
        private int place;

        Follower(Script script) {
            this.script = script;
        }

        @Override
        public long[] allowed() {
            long[] allowed = new long[script.never / Long.SIZE + 1];
            if (!mustEnd()) {
                int token = script.tokens[place];
                allowed[token / Long.SIZE] |= 1L << token;
                allowed[script.never / Long.SIZE] |= 1L << script.never;
            }
            return allowed;
        }

        @Override
        public boolean mayEnd() {
            return mustEnd();
        }

        @Override
        public boolean mustEnd() {
            return place == script.tokens.length;
        }

        @Override
        public void accept(int token) {
            if (mustEnd() || token != script.tokens[place]) {
                throw new IllegalArgumentException("token %d at place %d is not the script's".formatted(token, place));
            }
            place++;
        }

        @Override
        public boolean canEndWithin(int token, int tokensLeft) {
            return script.tokens.length - place - 1 <= tokensLeft;
        }

        @Override
        public long[] allowedWithin(int tokensLeft) {
            return allowed();
        }

        @Override
        public OutputFollower copy() {
            return Unknowing.INSTANCE;
        }
    }

    /** Allows all: were drafts held against the script they would be cut before a step is spent on them, which no model does. */
    private enum Unknowing implements OutputFollower {
        INSTANCE;

        private static final long[] ALL = new long[1 << 14];

        static {
            Arrays.fill(ALL, -1L);
        }

        @Override
        public long[] allowed() {
            return ALL;
        }

        @Override
        public boolean mayEnd() {
            return false;
        }

        @Override
        public boolean mustEnd() {
            return false;
        }

        @Override
        public void accept(int token) {}

        @Override
        public boolean canEndWithin(int token, int tokensLeft) {
            return true;
        }

        @Override
        public long[] allowedWithin(int tokensLeft) {
            return ALL;
        }

        @Override
        public OutputFollower copy() {
            return this;
        }
    }
}
