package dev.penstock.onnx.experts;

import dev.penstock.onnx.experts.ExpertMatrices.Kind;
import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Runs layers of experts: tokens are sorted by expert, so that an expert's weights are read once for all its tokens and
 * those of an expert that nobody chose are not read at all. A token's sum goes in the order of experts, whatever else is
 * in the step. Owns its working memory; for one layer at a time.
 */
public final class ExpertMlp implements AutoCloseable {
    /** Tokens that an expert takes at once: bounds the working memory. */
    private static final int MAX_ROWS = 128;

    private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private @Nullable Arena arena;
    private MemorySegment scratch = MemorySegment.NULL;

    /**
     * Computes one layer.
     *
     * @param input address of x, [tokens, hidden]
     * @param logits address of the router's logits, [tokens, experts]
     * @param tokens how many there are
     * @param output address of room for [tokens, hidden]
     */
    public void run(
            ExpertConfig config,
            ExpertMatrices matrices,
            long input,
            long logits,
            int tokens,
            long output,
            Workers workers) {
        ExpertRouting routing = new ExpertRouting(config);
        routing.route(logits, tokens);
        ALL_MEMORY.asSlice(output, 4L * tokens * config.hidden()).fill((byte) 0);
        int rows = Math.min(tokens, MAX_ROWS);
        reserve(4L * rows * 2 * (config.hidden() + config.inner()));
        for (int e = 0; e < config.experts(); e++) {
            for (int from = routing.start(e); from < routing.start(e + 1); from += MAX_ROWS) {
                int to = Math.min(from + MAX_ROWS, routing.start(e + 1));
                run(config, matrices, e, routing, from, to, input, output, workers);
            }
        }
    }

    private void run(
            ExpertConfig config,
            ExpertMatrices matrices,
            int expert,
            ExpertRouting routing,
            int from,
            int to,
            long input,
            long output,
            Workers workers) {
        int rows = to - from;
        long hiddenBytes = 4L * config.hidden();
        long x = scratch.address();
        long y = x + rows * hiddenBytes;
        long gate = y + rows * hiddenBytes;
        long up = gate + 4L * rows * config.inner();
        for (int place = from; place < to; place++) {
            long row = input + routing.token(place) * hiddenBytes;
            MemorySegment.copy(ALL_MEMORY, row, ALL_MEMORY, x + (place - from) * hiddenBytes, hiddenBytes);
        }
        matrices.multiply(Kind.GATE, expert, x, rows, gate, workers);
        matrices.multiply(Kind.UP, expert, x, rows, up, workers);
        Parallel.share(
                rows * config.inner(),
                ExpertKernels.GATED_ALONE,
                workers,
                (first, last) -> ExpertKernels.gate(gate, up, first, last, config.gelu()));
        matrices.multiply(Kind.DOWN, expert, gate, rows, y, workers);
        for (int place = from; place < to; place++) {
            ExpertKernels.addScaled(
                    y + (place - from) * hiddenBytes,
                    routing.weight(place),
                    output + routing.token(place) * hiddenBytes,
                    config.hidden());
        }
    }

    private void reserve(long bytes) {
        if (scratch.byteSize() < bytes) {
            close();
            Arena fresh = Arena.ofShared();
            scratch = fresh.allocate(bytes, 64);
            arena = fresh;
        }
    }

    /** Frees the memory; a later layer allocates it anew. */
    @Override
    public void close() {
        if (arena != null) {
            arena.close();
            arena = null;
            scratch = MemorySegment.NULL;
        }
    }
}
