package dev.penstock.onnx.attention;

import dev.penstock.model.KvType;
import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;

/**
 * Gets the attention kernel compiled before the first request: interpreted, the Vector API is a thousand times slower,
 * and the first steps would take seconds. It runs the kernel over small made-up sequences, decodes and chunks of a
 * prompt in turn as in real steps, on a thread of its own, so that a graph can be loaded meanwhile; once in a process.
 */
public final class AttentionWarmUp {
    /** Runs after which all of the kernel was seen to be compiled by the second compiler. */
    private static final int RUNS = 480;
    /** A busy machine gets no more than this. */
    private static final Duration LIMIT = Duration.ofMillis(1500);

    private static final int HEADS = 32;
    private static final int KV_HEADS = 4;
    private static final int HEAD_SIZE = 64;
    private static final int WIDTH = (HEADS + 2 * KV_HEADS) * HEAD_SIZE;
    private static final int PAST = 40;
    private static final int CHUNK = 4;
    private static final int BLOCK = 16;
    private static final int BLOCKS = (PAST + CHUNK + BLOCK - 1) / BLOCK;

    private AttentionWarmUp() {}

    /** Starts the warm-up if nobody has. */
    public static void start() {
        Holder.THREAD.isAlive();
    }

    /** Waits until it is done, starting it if nobody has; an interrupt ends the waiting. */
    public static void await() {
        try {
            Holder.THREAD.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class Holder {
        static final Thread THREAD =
                Thread.ofPlatform().name("attention-warm-up").daemon().start(AttentionWarmUp::run);
    }

    private static void run() {
        long end = System.nanoTime() + LIMIT.toNanos();
        Workers alone = new Workers() {
            @Override
            public int count() {
                return 1;
            }

            @Override
            public void run(int tasks, Task task) {
                for (int i = 0; i < tasks; i++) {
                    task.run(i);
                }
            }
        };
        AttentionConfig config = new AttentionConfig(HEADS, KV_HEADS, 0, 0, Integer.MAX_VALUE, true, false);
        try (Arena arena = Arena.ofShared();
                AttentionScratch scratch = new AttentionScratch()) {
            PagedAttention attention = new PagedAttention(config, scratch);
            List<AttentionCall> calls = List.of(
                    call(arena, 1, KvType.FP16),
                    call(arena, CHUNK, KvType.FP16),
                    call(arena, 1, KvType.FP32),
                    call(arena, CHUNK, KvType.FP32),
                    call(arena, 1, KvType.INT8),
                    call(arena, CHUNK, KvType.INT8));
            for (int i = 0; i < RUNS && System.nanoTime() < end; i++) {
                attention.run(calls.get(i % calls.size()), alone);
            }
        }
    }

    /** One sequence with a past and so many new tokens; all numbers are 0. */
    private static AttentionCall call(Arena arena, int tokens, KvType cache) {
        long rows = floats(arena, tokens * WIDTH);
        MemorySegment blocks = arena.allocate(ValueLayout.JAVA_INT, BLOCKS);
        for (int b = 0; b < BLOCKS; b++) {
            blocks.setAtIndex(ValueLayout.JAVA_INT, b, b);
        }
        long angles = floats(arena, (PAST + CHUNK) * HEAD_SIZE / 2);
        return new AttentionCall(
                rows,
                rows + 4L * HEADS * HEAD_SIZE,
                rows + 4L * (HEADS + KV_HEADS) * HEAD_SIZE,
                WIDTH,
                WIDTH,
                WIDTH,
                tokens,
                HEAD_SIZE,
                floats(arena, BLOCKS * BLOCK * KV_HEADS * HEAD_SIZE),
                floats(arena, BLOCKS * BLOCK * KV_HEADS * HEAD_SIZE),
                cache,
                BLOCKS,
                BLOCK,
                arena.allocateFrom(ValueLayout.JAVA_INT, 0, tokens).address(),
                arena.allocateFrom(ValueLayout.JAVA_INT, PAST).address(),
                blocks.address(),
                1,
                BLOCKS,
                angles,
                angles,
                PAST + CHUNK,
                HEAD_SIZE / 2,
                floats(arena, tokens * HEADS * HEAD_SIZE));
    }

    private static long floats(Arena arena, int count) {
        return arena.allocate(ValueLayout.JAVA_FLOAT, count).address();
    }
}
