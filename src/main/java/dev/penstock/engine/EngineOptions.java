package dev.penstock.engine;

/**
 * The limits of one step loop.
 *
 * @param maxStepTokens tokens of one step at most, decodes and prompt chunks together; a runner's own limit counts
 *     where it is lower. A larger step makes prompts a little faster until the matrix products are compute bound, and
 *     is the longest time that a cancel or a new request waits
 * @param maxPromptTokensBesideDecodes prompt tokens at most in a step that also decodes, so that a long prompt doesn't
 *     hold up the tokens of others: what a decode waits for it is this many tokens of prefill
 * @param maxRunning sequences in the batch at most; less than {@code maxStepTokens}, so that prompts never starve. A
 *     runner's limit of rows counts where it is lower
 * @param maxWaiting requests that may wait beyond {@code maxRunning} before new ones are refused
 * @param prefixCache whether full blocks are kept for later sequences that begin alike
 * @param speculation whether text that may repeat is guessed and computed several tokens at a time, where that pays
 */
public record EngineOptions(
        int maxStepTokens,
        int maxPromptTokensBesideDecodes,
        int maxRunning,
        int maxWaiting,
        boolean prefixCache,
        boolean speculation) {

    /** Tokens: on two cores about where the matrix products of a 1B model in int4 stop gaining. */
    public static final int DEFAULT_MAX_STEP_TOKENS = 256;

    /** Tokens. */
    public static final int DEFAULT_MAX_PROMPT_TOKENS_BESIDE_DECODES = 64;

    /** Sequences. */
    public static final int DEFAULT_MAX_RUNNING = 32;

    /** Requests. */
    public static final int DEFAULT_MAX_WAITING = 512;

    /** Rows of logits for a runner to have beyond {@code maxRunning}: for log probabilities of prompts, and for drafts. */
    public static final int SPARE_ROWS = 64;

    /** @throws IllegalArgumentException a limit contradicts the description above */
    public EngineOptions {
        if (maxRunning < 1) {
            throw new IllegalArgumentException("maxRunning must be at least 1, not " + maxRunning);
        }
        if (maxStepTokens <= maxRunning) {
            throw new IllegalArgumentException(
                    "maxStepTokens (%d) must be more than maxRunning (%d), or prompts would starve beside decodes"
                            .formatted(maxStepTokens, maxRunning));
        }
        if (maxPromptTokensBesideDecodes < 1) {
            throw new IllegalArgumentException(
                    "maxPromptTokensBesideDecodes must be at least 1, not " + maxPromptTokensBesideDecodes);
        }
        if (maxWaiting < 0) {
            throw new IllegalArgumentException("maxWaiting must not be negative, but is " + maxWaiting);
        }
    }

    /** The defaults above, with prefix cache and speculation on. */
    public static EngineOptions defaults() {
        return new EngineOptions(
                DEFAULT_MAX_STEP_TOKENS,
                DEFAULT_MAX_PROMPT_TOKENS_BESIDE_DECODES,
                DEFAULT_MAX_RUNNING,
                DEFAULT_MAX_WAITING,
                true,
                true);
    }

    /** These options within what a runner can do. */
    EngineOptions fittedTo(ModelRunner runner) {
        int stepTokens = Math.min(maxStepTokens, runner.maxTokensPerStep());
        int running = Math.min(Math.min(maxRunning, runner.maxRowsPerStep()), stepTokens - 1);
        return new EngineOptions(
                stepTokens, maxPromptTokensBesideDecodes, running, maxWaiting, prefixCache, speculation);
    }
}
