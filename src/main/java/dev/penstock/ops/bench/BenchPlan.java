package dev.penstock.ops.bench;

import dev.penstock.model.KvType;
import java.util.List;

/**
 * What is measured, and how.
 *
 * @param cases in the order in which they run
 * @param kvType of the KV cache
 * @param threads of a step
 * @param rounds timed rounds over all cases; one more comes before them and is not counted
 * @param steps decode steps of a case in a round
 * @param engine whether decoding is measured through the step loop, too
 */
public record BenchPlan(List<BenchCase> cases, KvType kvType, int threads, int rounds, int steps, boolean engine) {
    /** Most of any count: mistyped numbers should not allocate the machine's memory. */
    private static final int LIMIT = 1 << 20;

    /** @throws IllegalArgumentException there is nothing to measure, or a number is out of range */
    public BenchPlan {
        cases = List.copyOf(cases);
        if (cases.isEmpty()) {
            throw new IllegalArgumentException("nothing to measure: give a prompt length, or a batch and a context");
        }
        check("threads", threads, 1024);
        check("rounds", rounds, LIMIT);
        check("steps", steps, LIMIT);
        for (BenchCase benchCase : cases) {
            check("batch", benchCase.sequences(), 4096);
            check("tokens", benchCase.tokensPerSequence(0), LIMIT);
        }
    }

    private static void check(String what, int value, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException(what + " must be 1 to " + most + ", not " + value);
        }
    }

    /** Blocks that the KV cache needs for the largest case. */
    int blocks(int blockSize) {
        return cases.stream()
                .mapToInt(c -> StepBench.blocks(c, blockSize, steps))
                .max()
                .orElseThrow();
    }

    /** Tokens of the longest sequence. */
    int contextLength() {
        return cases.stream().mapToInt(c -> c.tokensPerSequence(steps)).max().orElseThrow();
    }

    /** Tokens of the largest decode step, and so rows of logits. */
    int maxBatch() {
        return cases.stream().mapToInt(BenchCase::sequences).max().orElseThrow();
    }
}
