package dev.penstock.engine;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.SamplingParams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A model in plain Java that is as picky about its cache as a real one: the key of a token is a hash of the token, its
 * place and all keys before it as the block table reaches them, and the logits are a hash of all of these keys. A wrong
 * table, a stale block or a key computed from the wrong past give different logits from then on.
 */
public final class HashModel implements ModelRunner {
    /** What an unwritten place of the cache holds; reading one fails the step. */
    private static final long UNWRITTEN = 0;

    private final int vocabSize;
    private final int contextLength;
    private final int blockSize;
    private final int blockCount;
    private final int maxTokens;
    private final int maxRows;
    private final long[] keys;
    private final int[] tokens;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment logits;
    private volatile boolean closed;

    /** How far back lies what the model likes to repeat; 0 if it doesn't repeat itself. */
    private int period;

    /** An empty cache of {@code blockCount} blocks. */
    public HashModel(int vocabSize, int contextLength, int blockSize, int blockCount, int maxTokens, int maxRows) {
        this.vocabSize = vocabSize;
        this.contextLength = contextLength;
        this.blockSize = blockSize;
        this.blockCount = blockCount;
        this.maxTokens = maxTokens;
        this.maxRows = maxRows;
        keys = new long[blockCount * blockSize];
        tokens = new int[blockCount * blockSize];
        logits = arena.allocate((long) maxRows * vocabSize * Float.BYTES, 64);
    }

    /** Makes it say again, in three of four places that hang on all keys before, what it said so many tokens before. */
    HashModel repeating(int period) {
        this.period = period;
        return this;
    }

    @Override
    public DecoderShape shape() {
        return new DecoderShape("hash", 1, 8, 1, 1, 8, 8, vocabSize, contextLength);
    }

    @Override
    public int blockSize() {
        return blockSize;
    }

    @Override
    public int blockCount() {
        return blockCount;
    }

    @Override
    public int maxTokensPerStep() {
        return maxTokens;
    }

    @Override
    public int maxRowsPerStep() {
        return maxRows;
    }

    @Override
    public MemorySegment run(StepBatch batch) {
        check(batch);
        int row = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            int past = batch.pastLengths()[s];
            long state = 1;
            for (int place = 0; place < past; place++) {
                long key = keys[at(batch, s, place)];
                if (key == UNWRITTEN) {
                    throw new IllegalStateException(
                            "sequence %d reads place %d before it is written".formatted(s, place));
                }
                state = mix(state, key);
            }
            for (int t = batch.sequenceStarts()[s]; t < batch.sequenceStarts()[s + 1]; t++) {
                int place = past + t - batch.sequenceStarts()[s];
                long key = key(state, (int) batch.tokenIds()[t], place);
                keys[at(batch, s, place)] = key;
                tokens[at(batch, s, place)] = (int) batch.tokenIds()[t];
                state = mix(state, key);
                if (row < batch.rows() && batch.logitRows()[row] == t) {
                    for (int token = 0; token < vocabSize; token++) {
                        logits.setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * vocabSize + token, logit(state, token));
                    }
                    if (period > 0 && place + 1 >= period && mix(state, period) % 4 != 0) {
                        int again = tokens[at(batch, s, place + 1 - period)];
                        logits.setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * vocabSize + again, 20);
                    }
                    row++;
                }
            }
        }
        if (row != batch.rows()) {
            throw new IllegalStateException("rows that no sequence holds, or out of order");
        }
        return logits;
    }

    @Override
    public void close() {
        closed = true;
        arena.close();
    }

    boolean isClosed() {
        return closed;
    }

    /** What the model says to this prompt alone with no cache: greedy, until an end token or the limit. */
    static List<Integer> greedy(int vocabSize, int[] prompt, SamplingParams sampling) {
        long state = 1;
        int place = 0;
        for (int token : prompt) {
            state = mix(state, key(state, token, place++));
        }
        List<Integer> completion = new ArrayList<>();
        while (completion.size() < sampling.maxTokens()) {
            int best = 0;
            for (int token = 1; token < vocabSize; token++) {
                if (logit(state, token) > logit(state, best)) {
                    best = token;
                }
            }
            completion.add(best);
            if (sampling.eosTokens().contains(best)) {
                break;
            }
            state = mix(state, key(state, best, place++));
        }
        return completion;
    }

    /** The logits after these tokens. */
    static float[] logits(int vocabSize, int[] tokens) {
        long state = 1;
        int place = 0;
        for (int token : tokens) {
            state = mix(state, key(state, token, place++));
        }
        float[] logits = new float[vocabSize];
        for (int token = 0; token < vocabSize; token++) {
            logits[token] = logit(state, token);
        }
        return logits;
    }

    private int at(StepBatch batch, int sequence, int place) {
        int block = batch.blockTable()[sequence * batch.blocksPerSequence() + place / blockSize];
        return block * blockSize + place % blockSize;
    }

    private void check(StepBatch batch) {
        if (closed) {
            throw new IllegalStateException("run after close");
        }
        if (batch.tokens() < 1 || batch.tokens() > maxTokens || batch.rows() > maxRows) {
            throw new IllegalStateException("step of %d tokens and %d rows".formatted(batch.tokens(), batch.rows()));
        }
        Set<Integer> written = new HashSet<>();
        for (int s = 0; s < batch.sequences(); s++) {
            int count = batch.sequenceStarts()[s + 1] - batch.sequenceStarts()[s];
            for (int i = 0; i < count; i++) {
                if (!written.add(at(batch, s, batch.pastLengths()[s] + i))) {
                    throw new IllegalStateException("two tokens are written to one place");
                }
            }
        }
        for (int s = 0; s < batch.sequences(); s++) {
            for (int place = 0; place < batch.pastLengths()[s]; place++) {
                if (written.contains(at(batch, s, place))) {
                    throw new IllegalStateException("a past place is written to");
                }
            }
        }
        if (Arrays.stream(batch.tokenIds(), 0, batch.tokens()).anyMatch(t -> t < 0 || t >= vocabSize)) {
            throw new IllegalStateException("a token outside the vocabulary");
        }
    }

    private static long key(long state, int token, int place) {
        return mix(mix(state, token + 1), place + 1) | 1;
    }

    /** Roughly normal, so that sampling has something to choose and greedy choices are clear. */
    private static float logit(long state, int token) {
        long bits = mix(state, token + 1_000_003L);
        float sum = 0;
        for (int i = 0; i < 4; i++) {
            sum += (bits >>> (16 * i) & 0xFFFF) / 65536f - 0.5f;
        }
        return 6 * sum;
    }

    private static long mix(long a, long b) {
        long z = (a * 0x9E3779B97F4A7C15L) ^ (b + 0x632BE59BD9B4E019L);
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
