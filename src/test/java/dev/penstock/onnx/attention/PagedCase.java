package dev.penstock.onnx.attention;

import dev.penstock.model.KvType;
import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Random sequences over a paged cache with shuffled blocks: packs the next tokens of each into a call, and knows what
 * must come out.
 */
final class PagedCase implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final AttentionConfig config;
    private final int headSize;
    private final KvType kvType;
    private final int blockSize;
    private final int blocks;
    private final int context;
    private final float[][] cos;
    private final float[][] sin;
    private final MemorySegment cosCache;
    private final MemorySegment sinCache;
    private final MemorySegment keyCache;
    private final MemorySegment valueCache;
    private final int[][] table;
    private final int[] past;
    private final double[][][] query;
    private final double[][][] key;
    private final double[][][] value;

    PagedCase(
            Random random,
            AttentionConfig config,
            int headSize,
            int rotary,
            KvType kvType,
            int blockSize,
            int... lengths) {
        this.config = config;
        this.headSize = headSize;
        this.kvType = kvType;
        this.blockSize = blockSize;
        int longest = 0;
        int needed = 3;
        for (int length : lengths) {
            longest = Math.max(longest, length);
            needed += (length + blockSize - 1) / blockSize;
        }
        blocks = needed;
        context = longest;
        int half = Math.max(1, rotary / 2);
        cos = new float[context][half];
        sin = new float[context][half];
        for (int t = 0; t < context; t++) {
            for (int i = 0; i < half; i++) {
                double angle = t / Math.pow(10000, (double) i / half);
                cos[t][i] = (float) Math.cos(angle);
                sin[t][i] = (float) Math.sin(angle);
            }
        }
        cosCache = floats(cos);
        sinCache = floats(sin);
        long cacheBytes = (long) blocks * blockSize * config.kvHeads() * kvType.headBytes(headSize);
        keyCache = arena.allocate(cacheBytes, 64);
        valueCache = arena.allocate(cacheBytes, 64);
        // What no sequence has written must not matter, whatever it is.
        keyCache.fill((byte) 0xff);
        valueCache.fill((byte) 0xff);
        List<Integer> free = new ArrayList<>();
        for (int b = 0; b < blocks; b++) {
            free.add(b);
        }
        Collections.shuffle(free, random);
        past = new int[lengths.length];
        table = new int[lengths.length][];
        query = new double[lengths.length][][];
        key = new double[lengths.length][][];
        value = new double[lengths.length][][];
        for (int s = 0; s < lengths.length; s++) {
            table[s] = new int[(lengths[s] + blockSize - 1) / blockSize];
            for (int b = 0; b < table[s].length; b++) {
                table[s][b] = free.removeLast();
            }
            query[s] = rows(random, lengths[s], config.heads() * headSize);
            key[s] = rows(random, lengths[s], config.kvHeads() * headSize);
            value[s] = rows(random, lengths[s], config.kvHeads() * headSize);
        }
    }

    private double[][] rows(Random random, int count, int width) {
        double[][] rows = new double[count][width];
        for (double[] row : rows) {
            for (int i = 0; i < width; i++) {
                row[i] = (float) random.nextGaussian();
            }
        }
        return rows;
    }

    private MemorySegment floats(float[][] rows) {
        MemorySegment segment = arena.allocate(ValueLayout.JAVA_FLOAT, (long) rows.length * rows[0].length);
        for (int r = 0; r < rows.length; r++) {
            MemorySegment.copy(rows[r], 0, segment, ValueLayout.JAVA_FLOAT, 4L * r * rows[r].length, rows[r].length);
        }
        return segment;
    }

    /** Tokens of a sequence that have not been run yet. */
    int left(int sequence) {
        return query[sequence].length - past[sequence];
    }

    int sequences() {
        return past.length;
    }

    /** Runs the next {@code counts[s]} tokens of each sequence; returns the greatest error against the plain way. */
    double step(PagedAttention attention, Workers workers, int... counts) {
        try (Arena local = Arena.ofConfined()) {
            int tokens = 0;
            int widest = 1;
            MemorySegment starts = local.allocate(ValueLayout.JAVA_INT, counts.length + 1);
            MemorySegment pasts = local.allocate(ValueLayout.JAVA_INT, counts.length);
            for (int s = 0; s < counts.length; s++) {
                tokens += counts[s];
                starts.setAtIndex(ValueLayout.JAVA_INT, s + 1, tokens);
                pasts.setAtIndex(ValueLayout.JAVA_INT, s, past[s]);
                widest = Math.max(widest, table[s].length);
            }
            MemorySegment blockTable = local.allocate(ValueLayout.JAVA_INT, (long) counts.length * widest);
            for (int s = 0; s < counts.length; s++) {
                MemorySegment.copy(table[s], 0, blockTable, ValueLayout.JAVA_INT, 4L * s * widest, table[s].length);
            }
            int queryWidth = config.heads() * headSize;
            int keyWidth = config.kvHeads() * headSize;
            int width = queryWidth + 2 * keyWidth;
            MemorySegment packed = local.allocate(ValueLayout.JAVA_FLOAT, (long) tokens * width);
            MemorySegment output = local.allocate(ValueLayout.JAVA_FLOAT, (long) tokens * queryWidth);
            output.fill((byte) 0xff);
            int row = 0;
            for (int s = 0; s < counts.length; s++) {
                for (int t = past[s]; t < past[s] + counts[s]; t++) {
                    put(packed, (long) row * width, query[s][t]);
                    put(packed, (long) row * width + queryWidth, key[s][t]);
                    put(packed, (long) row * width + queryWidth + keyWidth, value[s][t]);
                    row++;
                }
            }
            attention.run(
                    new AttentionCall(
                            packed.address(),
                            packed.address() + 4L * queryWidth,
                            packed.address() + 4L * (queryWidth + keyWidth),
                            width,
                            width,
                            width,
                            tokens,
                            headSize,
                            keyCache.address(),
                            valueCache.address(),
                            kvType,
                            blocks,
                            blockSize,
                            starts.address(),
                            pasts.address(),
                            blockTable.address(),
                            counts.length,
                            widest,
                            cosCache.address(),
                            sinCache.address(),
                            context,
                            cos[0].length,
                            output.address()),
                    workers);
            double worst = 0;
            row = 0;
            for (int s = 0; s < counts.length; s++) {
                past[s] += counts[s];
                worst = Math.max(worst, error(s, counts[s], output, row));
                row += counts[s];
            }
            return worst;
        }
    }

    private double error(int s, int count, MemorySegment output, int firstRow) {
        if (count == 0) {
            return 0;
        }
        double[][] expected = NaiveAttention.attend(
                config,
                headSize,
                past[s] - count,
                first(query[s], past[s]),
                first(key[s], past[s]),
                first(value[s], past[s]),
                cos,
                sin);
        double worst = 0;
        for (int t = 0; t < count; t++) {
            double[] row = expected[past[s] - count + t];
            for (int i = 0; i < row.length; i++) {
                double got = output.getAtIndex(ValueLayout.JAVA_FLOAT, (long) (firstRow + t) * row.length + i);
                double difference = Math.abs(got - row[i]);
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
            }
        }
        return worst;
    }

    private static double[][] first(double[][] rows, int count) {
        return java.util.Arrays.copyOf(rows, count);
    }

    private static void put(MemorySegment target, long index, double... row) {
        for (int i = 0; i < row.length; i++) {
            target.setAtIndex(ValueLayout.JAVA_FLOAT, index + i, (float) row[i]);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
