package dev.penstock.onnx.attention;

import static dev.penstock.onnx.attention.AttentionPlan.CHUNK;
import static dev.penstock.onnx.attention.AttentionScratch.aligned;
import static dev.penstock.onnx.attention.NativeMemory.getFloat;

import dev.penstock.onnx.parallel.Workers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Causal attention of packed tokens over a paged KV cache (Kwon et al., "Efficient Memory Management for Large Language
 * Model Serving with PagedAttention", 2023), tile by tile with a running softmax (Dao et al., "FlashAttention", 2022).
 *
 * <p>A run has two phases. First the step's keys are rotated and go with the values into the cache. Then workers take
 * tiles off a counter: they rotate and scale the tile's queries, and for each chunk of keys compute scores, weights and
 * weighted values; keys and values pass through a small buffer of floats, whatever the cache's type. Several threads
 * run one call; calls on one object, or on objects that share their scratch, come one after the other.
 */
public final class PagedAttention {
    /** Keys staged at once: two groups are a pair of vectors where a vector holds sixteen floats. */
    private static final int STAGED_KEYS = 32;
    /** Below so many multiply-adds waking other threads costs more than it brings. */
    private static final long PARALLEL_MULTIPLY_ADDS = 200_000;
    /** Below so many numbers to append likewise. */
    private static final long PARALLEL_APPENDS = 32_768;
    /** Bytes of a row's state: maximum and sum. */
    private static final int STATE_BYTES = 8;

    private final AttentionConfig config;
    private final AttentionScratch scratch;
    private final AttentionPlan plan = new AttentionPlan();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private long queriesBytes;
    private long scoresBytes;
    private long stateBytes;
    private long workerBytes;
    private long workerMemory;
    private long partialMemory;

    /** With what it computes and the memory that it works in. */
    public PagedAttention(AttentionConfig config, AttentionScratch scratch) {
        this.config = config;
        this.scratch = scratch;
    }

    /**
     * Runs one call.
     *
     * @throws IllegalArgumentException the tensors do not fit together; nothing was written
     */
    public void run(AttentionCall call, Workers workers) {
        call.check(config);
        if (call.tokens() == 0) {
            return;
        }
        int threads = Math.max(1, workers.count());
        plan.plan(config, call, threads);
        layOut(call, threads);
        failure.set(null);
        append(call, workers, threads);
        boolean parallel = threads > 1 && plan.multiplyAdds() > PARALLEL_MULTIPLY_ADDS;
        int parts = plan.tiles() * plan.splits();
        inParallel(
                workers, parallel ? Math.min(threads, parts) : 1, parts, (worker, part) -> attend(call, worker, part));
        if (plan.splits() > 1) {
            for (int tile = 0; tile < plan.tiles(); tile++) {
                merge(call, tile);
            }
        }
    }

    /** Memory of a worker: queries, sums, scores, state, staged keys or values; then all partial results. */
    private void layOut(AttentionCall call, int threads) {
        int rows = AttentionPlan.maxRows(config);
        queriesBytes = aligned(4L * rows * call.headSize());
        scoresBytes = aligned(4L * rows * CHUNK);
        stateBytes = aligned((long) STATE_BYTES * rows);
        workerBytes = 2 * queriesBytes + scoresBytes + stateBytes + aligned(4L * STAGED_KEYS * call.headSize());
        long partials = plan.splits() > 1 ? (long) plan.tiles() * plan.splits() * partialBytes() : 0;
        workerMemory = scratch.reserve(workerBytes * threads + partials);
        partialMemory = workerMemory + workerBytes * threads;
    }

    private long partialBytes() {
        return queriesBytes + stateBytes;
    }

    private void append(AttentionCall call, Workers workers, int threads) {
        int parts = call.tokens() * config.kvHeads();
        boolean parallel = threads > 1 && (long) parts * call.headSize() > PARALLEL_APPENDS;
        int pieces = parallel ? Math.min(threads * 4, call.tokens()) : 1;
        inParallel(workers, Math.min(threads, pieces), pieces, (worker, piece) -> {
            int from = (int) ((long) call.tokens() * piece / pieces);
            int to = (int) ((long) call.tokens() * (piece + 1) / pieces);
            appendTokens(call, worker, from, to);
        });
    }

    private void appendTokens(AttentionCall call, int worker, int from, int to) {
        long key = workerMemory + worker * workerBytes;
        int headSize = call.headSize();
        int sequence = 0;
        for (int token = from; token < to; token++) {
            while (token >= call.start(sequence + 1)) {
                sequence++;
            }
            int position = call.past(sequence) + token - call.start(sequence);
            for (int head = 0; head < config.kvHeads(); head++) {
                long offset = (long) head * headSize;
                NativeMemory.copyFloats(call.key() + 4 * ((long) token * call.keyStride() + offset), key, headSize);
                rotate(call, key, position);
                long value = call.value() + 4 * ((long) token * call.valueStride() + offset);
                KvCache.append(call, config.kvHeads(), head, sequence, position, key, value);
            }
        }
    }

    private void rotate(AttentionCall call, long head, int position) {
        if (config.rotary()) {
            long offset = 4L * position * call.rotaryHalf();
            Rotary.rotate(head, call.cos() + offset, call.sin() + offset, call.rotaryHalf(), config.interleaved());
        }
    }

    private interface Part {
        void run(int worker, int part);
    }

    /** Runs all parts on so many workers, which take them off a counter; the first failure stops the others. */
    private void inParallel(Workers workers, int count, int parts, Part part) {
        if (count <= 1) {
            for (int i = 0; i < parts; i++) {
                part.run(0, i);
            }
            return;
        }
        next.set(0);
        workers.run(count, worker -> {
            try {
                for (int i = next.getAndIncrement(); i < parts && failure.get() == null; i = next.getAndIncrement()) {
                    part.run(worker, i);
                }
            } catch (Throwable e) { // Nothing may leave a task: below it is native code.
                failure.compareAndSet(null, e);
            }
        });
        Throwable failed = failure.get();
        if (failed != null) {
            throw new IllegalStateException("a worker failed: " + failed, failed);
        }
    }

    private void attend(AttentionCall call, int worker, int part) {
        int tile = part / plan.splits();
        int split = part % plan.splits();
        long queries = workerMemory + worker * workerBytes;
        long sums = queries + queriesBytes;
        long scores = sums + queriesBytes;
        long state = scores + scoresBytes;
        long staged = state + stateBytes;
        int tileRows = plan.heads(tile) * rowsPerHead(tile);
        if (plan.splits() > 1) {
            sums = partialMemory + part * partialBytes();
            state = sums + queriesBytes;
        }
        loadQueries(call, tile, queries);
        NativeMemory.fill(sums, tileRows * call.headSize(), 0f);
        for (int row = 0; row < tileRows; row++) {
            NativeMemory.setFloat(state + row * STATE_BYTES, Float.NEGATIVE_INFINITY);
            NativeMemory.setFloat(state + row * STATE_BYTES + 4, 0f);
        }
        int end = plan.keyTo(tile, split);
        for (int from = plan.keyFrom(tile, split); from < end; from += CHUNK) {
            int count = Math.min(CHUNK, end - from);
            scoreChunk(call, tile, queries, from, count, scores, staged);
            weighChunk(call, tile, from, count, scores, state, sums);
            addValues(call, tile, from, count, scores, staged, sums);
        }
        if (plan.splits() == 1) {
            writeOutput(call, tile, sums, state);
        }
    }

    /** Rows of one key head in a tile: its tokens, and for each the query heads that share the key head. */
    private int rowsPerHead(int tile) {
        return plan.tokens(tile) * config.groupSize();
    }

    /** Copies the tile's queries, [heads, tokens, groupSize, headSize], rotates and scales them. */
    private void loadQueries(AttentionCall call, int tile, long queries) {
        int headSize = call.headSize();
        int sequence = plan.sequence(tile);
        int group = config.groupSize();
        for (int head = plan.firstHead(tile); head < plan.firstHead(tile) + plan.heads(tile); head++) {
            for (int t = 0; t < plan.tokens(tile); t++) {
                int inSequence = plan.firstToken(tile) + t;
                long token = call.start(sequence) + inSequence;
                long source = call.query() + 4 * (token * call.queryStride() + (long) head * group * headSize);
                NativeMemory.copyFloats(source, queries, (long) group * headSize);
                for (int g = 0; g < group; g++) {
                    rotate(call, queries + 4L * g * headSize, call.past(sequence) + inSequence);
                }
                Softmax.scale(queries, group * headSize, config.scaleFor(headSize) * Softmax.LOG2_E);
                queries += 4L * group * headSize;
            }
        }
    }

    private void scoreChunk(AttentionCall call, int tile, long queries, int from, int count, long scores, long staged) {
        int headSize = call.headSize();
        int rows = rowsPerHead(tile);
        int groupNumbers = headSize * AttentionCall.KEY_GROUP;
        for (int k = 0; k < count; k += STAGED_KEYS) {
            for (int h = 0; h < plan.heads(tile); h++) {
                int groups = 0;
                for (int g = k; g < Math.min(count, k + STAGED_KEYS); g += AttentionCall.KEY_GROUP) {
                    long keys =
                            call.keyGroup(plan.sequence(tile), config.kvHeads(), plan.firstHead(tile) + h, from + g);
                    KvCache.stageKeys(call, keys, staged + 4L * groups * groupNumbers);
                    groups++;
                }
                long firstRow = (long) h * rows;
                QueryKey.scores(
                        queries + 4 * firstRow * headSize,
                        rows,
                        headSize,
                        staged,
                        groups,
                        scores + 4 * (firstRow * CHUNK + k),
                        4L * CHUNK);
            }
        }
    }

    private void weighChunk(AttentionCall call, int tile, int from, int count, long scores, long state, long sums) {
        int first = call.past(plan.sequence(tile)) + plan.firstToken(tile);
        int rows = rowsPerHead(tile);
        for (int row = 0; row < plan.heads(tile) * rows; row++) {
            int position = first + row % rows / config.groupSize();
            int to = Math.min(count, position + 1 - from);
            int start = Math.max(0, position + 1 - config.window() - from);
            long rowScores = scores + 4L * CHUNK * row;
            if (config.softcap() > 0) {
                Softmax.cap(rowScores, count, config.softcap());
            }
            Softmax.update(
                    rowScores,
                    count,
                    start,
                    to,
                    state + (long) row * STATE_BYTES,
                    sums + 4L * row * call.headSize(),
                    call.headSize());
        }
    }

    private void addValues(AttentionCall call, int tile, int from, int count, long weights, long staged, long sums) {
        int headSize = call.headSize();
        int rows = rowsPerHead(tile);
        for (int k = 0; k < count; k += STAGED_KEYS) {
            int keys = Math.min(STAGED_KEYS, count - k);
            for (int h = 0; h < plan.heads(tile); h++) {
                for (int g = 0; g < keys; g += AttentionCall.KEY_GROUP) {
                    // Rows past the last key are left out: nobody has written them, and 0 times NaN is NaN.
                    int live = Math.min(AttentionCall.KEY_GROUP, keys - g);
                    long values = call.valueGroup(
                            plan.sequence(tile), config.kvHeads(), plan.firstHead(tile) + h, from + k + g);
                    KvCache.stageValues(call, values, live, staged + 4L * g * headSize);
                }
                long firstRow = (long) h * rows;
                WeightedValues.add(
                        weights + 4 * (firstRow * CHUNK + k),
                        4L * CHUNK,
                        rows,
                        staged,
                        keys,
                        headSize,
                        sums + 4 * firstRow * headSize);
            }
        }
    }

    private void writeOutput(AttentionCall call, int tile, long sums, long state) {
        int headSize = call.headSize();
        int group = config.groupSize();
        long token = call.start(plan.sequence(tile)) + plan.firstToken(tile);
        for (int head = plan.firstHead(tile); head < plan.firstHead(tile) + plan.heads(tile); head++) {
            for (int t = 0; t < plan.tokens(tile); t++) {
                for (int g = 0; g < group; g++) {
                    float sum = getFloat(state + (long) g * STATE_BYTES + 4);
                    Softmax.scale(sums + 4L * g * headSize, headSize, 1 / sum);
                }
                long target = call.output() + 4 * (((token + t) * config.heads() + (long) head * group) * headSize);
                NativeMemory.copyFloats(sums, target, (long) group * headSize);
                sums += 4L * group * headSize;
                state += (long) group * STATE_BYTES;
            }
        }
    }

    /** Brings the parts of a tile to one maximum, adds them up in the first part, and writes the result. */
    private void merge(AttentionCall call, int tile) {
        int headSize = call.headSize();
        int tileRows = plan.heads(tile) * rowsPerHead(tile);
        long first = partialMemory + (long) tile * plan.splits() * partialBytes();
        for (int row = 0; row < tileRows; row++) {
            long state = first + queriesBytes + (long) row * STATE_BYTES;
            long sums = first + 4L * row * headSize;
            for (int split = 1; split < plan.splits(); split++) {
                long other = first + split * partialBytes();
                Softmax.merge(
                        state,
                        sums,
                        other + queriesBytes + (long) row * STATE_BYTES,
                        other + 4L * row * headSize,
                        headSize);
            }
        }
        writeOutput(call, tile, first, first + queriesBytes);
    }
}
