package dev.penstock.engine;

import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.TokenLogprob;
import dev.penstock.model.Usage;
import dev.penstock.prompt.TextStream;
import dev.penstock.prompt.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way through the step loop. The loop's thread owns it once it is posted; only {@link #cancel()} is for
 * all threads.
 */
final class Sequence {
    private final GenerationRequest request;
    private final GenerationListener listener;
    private final TextStream text;
    private final @Nullable TokenCounts counts;
    private @Nullable OutputGuard guard;
    private @Nullable PromptLookup lookup;
    private final TokenDraws draws;
    private final BlockTable blocks = new BlockTable();
    private final int vocabSize;
    private final int maxLength;
    private final long submittedNs;

    /** Prompt and completion, in the first {@code length} places, and behind them drafts. */
    private int[] tokens;

    private int length;

    /** Tokens at the beginning whose keys and values are in the blocks. */
    private int computed;

    /** Guesses at what follows that are computed in the step being made, or were and are still to be compared. */
    private int drafts;

    /** Tokens of it in the step being made, drafts counted in; 0 if it has no part in it. */
    private int planned;

    /** Tokens of the prompt whose logits were taken for the prompt's log probabilities; all but the last if none are wanted. */
    private int scored;

    private @Nullable List<TokenLogprob> promptScores;
    private int cachedPromptTokens;
    private boolean admittedBefore;
    private boolean ended;
    private long admittedNs;
    private long firstTokenNs;
    private volatile boolean cancelled;

    /**
     * A sequence that waits.
     *
     * @param vocabSize one more than the highest token that can be sampled
     * @param contextLength most tokens of prompt and completion together; more than the prompt has
     * @param seed of its draws
     */
    Sequence(
            GenerationRequest request,
            GenerationListener listener,
            Tokenizer tokenizer,
            int vocabSize,
            int contextLength,
            long seed,
            long submittedNs) {
        SamplingParams sampling = request.sampling();
        this.request = request;
        this.listener = listener;
        this.submittedNs = submittedNs;
        text = new TextStream(tokenizer, sampling.stop(), sampling.minTokens(), sampling.shownTokens());
        this.vocabSize = vocabSize;
        draws = new TokenDraws(seed);
        length = request.promptTokens().length;
        tokens = Arrays.copyOf(request.promptTokens(), length + 16);
        counts = TokenCounts.wanted(sampling) ? new TokenCounts(request.promptTokens()) : null;
        if (sampling.promptLogprobs().isPresent()) {
            promptScores = new ArrayList<>(length - 1);
        } else {
            scored = length - 1;
        }
        maxLength = (int) Math.min(contextLength, (long) length + sampling.maxTokens());
    }

    GenerationRequest request() {
        return request;
    }

    SamplingParams sampling() {
        return request.sampling();
    }

    GenerationListener listener() {
        return listener;
    }

    TextStream text() {
        return text;
    }

    /** Which tokens it has seen; null if none of its sampling parameters asks. */
    @Nullable
    TokenCounts counts() {
        return counts;
    }

    /** Holds its output to the constraint, from the first call on; null if it has none. Throws what the constraint throws. */
    @Nullable
    OutputGuard guard() {
        OutputConstraint constraint = sampling().constraint();
        if (guard == null && constraint != null) {
            guard = new OutputGuard(constraint.follow(), sampling(), vocabSize, maxLength - promptLength());
        }
        return guard;
    }

    /** Finds what it may go on with; learns what comes of that from the first call on, as part of what the loop learns. */
    PromptLookup lookup(Acceptance loop) {
        PromptLookup existing = lookup;
        if (existing == null) {
            existing = new PromptLookup(loop.ofSequence());
            lookup = existing;
        }
        return existing;
    }

    TokenDraws draws() {
        return draws;
    }

    BlockTable blocks() {
        return blocks;
    }

    int[] tokens() {
        return tokens;
    }

    int length() {
        return length;
    }

    int promptLength() {
        return request.promptTokens().length;
    }

    int completionLength() {
        return length - promptLength();
    }

    int computed() {
        return computed;
    }

    int planned() {
        return planned;
    }

    void plan(int count) {
        planned = count;
    }

    int drafts() {
        return drafts;
    }

    /** Most drafts that can be of use: the last token that it may have is sampled after one that is computed. */
    int usableDrafts() {
        return maxLength - length - 1;
    }

    /** Writes a guess behind those that there are. */
    void draft(int token) {
        makePlace(length + drafts);
        tokens[length + drafts++] = token;
    }

    /** Forgets the guesses. */
    void dropDrafts() {
        drafts = 0;
    }

    /** Whether all but its newest token are computed, and that one was sampled. */
    boolean decodes() {
        return computed == length - 1 && length > promptLength();
    }

    /** Whether log probabilities of its prompt are still to come. */
    boolean scoresPrompt() {
        return scored < promptLength() - 1;
    }

    /** The first place whose logits are wanted, as those of all after it are. */
    int firstRow() {
        return scoresPrompt() ? scored : length - 1;
    }

    /** Rows of logits of the planned tokens: of the last ones. */
    int rows() {
        return Math.max(0, computed + planned - firstRow());
    }

    /** The prompt's next token has this log probability. */
    void scored(TokenLogprob entry) {
        if (promptScores == null) {
            throw new IllegalStateException("nobody asked for the prompt's log probabilities");
        }
        promptScores.add(entry);
        scored++;
    }

    /** The token that is to be scored next. */
    int unscoredToken() {
        return tokens[scored + 1];
    }

    /** The log probabilities of its prompt, once; null if they were not asked for, or taken before. */
    @Nullable
    List<TokenLogprob> takePromptScores() {
        List<TokenLogprob> scores = promptScores;
        promptScores = null;
        return scores;
    }

    /** It has a place in the batch, with {@code reused} tokens found in the prefix cache. */
    void admitted(int reused, long nowNs) {
        computed = reused;
        if (!admittedBefore) {
            admittedBefore = true;
            admittedNs = nowNs;
            cachedPromptTokens = reused;
        }
    }

    /** Whether it had a place in the batch at some time. */
    boolean admittedBefore() {
        return admittedBefore;
    }

    /** It lost its place and its blocks: all of it is computed again. */
    void preempted() {
        computed = 0;
        planned = 0;
    }

    /** The planned tokens are computed; of drafts it shows when the tokens at their places are sampled. */
    void advance() {
        computed += planned - drafts;
        planned = 0;
    }

    /** Whether the logits that are wanted next were computed in the last step. */
    boolean hasRow() {
        return firstRow() < computed;
    }

    /** Adds a sampled token. If it is the one that was drafted it is computed already, else no draft is of use any more. */
    void append(int token, long nowNs) {
        if (length == promptLength()) {
            firstTokenNs = nowNs;
        }
        if (lookup != null) {
            lookup.sampled(tokens, token);
        }
        if (drafts > 0 && tokens[length] == token) {
            drafts--;
            computed++;
        } else {
            drafts = 0;
        }
        makePlace(length);
        tokens[length++] = token;
        if (counts != null) {
            counts.sampled(token);
        }
    }

    private void makePlace(int place) {
        if (place == tokens.length) {
            tokens = Arrays.copyOf(tokens, place + place / 2);
        }
    }

    /** Whether its token limit or the context length is reached. */
    boolean full() {
        return length >= maxLength;
    }

    Usage usage() {
        return new Usage(promptLength(), cachedPromptTokens, completionLength());
    }

    long submittedNs() {
        return submittedNs;
    }

    long admittedNs() {
        return admittedNs;
    }

    /** When its first token was sampled; meaningless before. */
    long firstTokenNs() {
        return firstTokenNs;
    }

    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Marks its end; false if it had ended before. */
    boolean end() {
        boolean first = !ended;
        ended = true;
        return first;
    }

    boolean isEnded() {
        return ended;
    }
}
