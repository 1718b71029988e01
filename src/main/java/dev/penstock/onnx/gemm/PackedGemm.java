package dev.penstock.onnx.gemm;

import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Products of rows of floats with packed weights: output [T, N] = input [T, K] times the transpose of the weights [N, K].
 * Rows are quantised to bytes first, each block of 32 with a scale of its own, then tiles of rows meet panels of weights.
 * Owns the memory for the quantised rows; for one product at a time.
 */
public final class PackedGemm implements AutoCloseable {
    /** Panels that a tile of rows meets before the next tile: few enough to stay in a core's second-level cache. */
    private static final int PANELS_AT_ONCE = 4;

    /** Shares of the panels for each thread, so that a thread that is held up leaves its share to others. */
    private static final int SHARES_PER_THREAD = 8;

    /** Below this many numbers to quantise, handing out work costs more than it brings. */
    private static final long QUANTISE_ALONE = 1 << 14;

    /** Likewise below this many bytes of weights. */
    private static final long MULTIPLY_ALONE = 1 << 15;

    private static final int TAIL_FLOATS = 2 * PackedLayout.BLOCK;

    private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private @Nullable Arena arena;
    private MemorySegment scratch = MemorySegment.NULL;

    /** Whether this machine can: x86-64 with AVX-512 VNNI, on Linux. */
    public static boolean supported() {
        return VnniKernels.supported();
    }

    /**
     * Computes one product.
     *
     * @param input address of T rows of K floats, aligned to 4 bytes
     * @param rows T
     * @param weights address of the packed weights
     * @param layout N, K and bits
     * @param output address of T rows of N floats
     * @param workers threads to share the work
     */
    public void multiply(long input, int rows, long weights, PackedLayout layout, long output, Workers workers) {
        if (rows == 0) {
            return;
        }
        Tiles tiles = new Tiles(rows);
        long tileBytes = (long) rows * ActivationLayout.blockBytes(1) * 2 * layout.pairs();
        long tails = 4L * TAIL_FLOATS * tiles.count;
        long edge = 4L * PackedLayout.PANEL * KernelCode.MAX_TILE_ROWS;
        reserve(tileBytes + tails + edge);
        long start = scratch.address();

        Workers.Task quantise = tile -> quantise(input, layout, tiles, tile, start, start + tileBytes);
        if ((long) rows * layout.inputs() < QUANTISE_ALONE) {
            for (int t = 0; t < tiles.count; t++) {
                quantise.run(t);
            }
        } else {
            share(tiles.count, 1, workers, (from, to) -> {
                for (int t = from; t < to; t++) {
                    quantise.run(t);
                }
            });
        }

        Product product = new Product(layout, weights, output, tiles, start, start + tileBytes + tails);
        if (layout.bytes() * tiles.count < MULTIPLY_ALONE) {
            product.panels(0, layout.panels());
        } else {
            int shares = workers.count() * SHARES_PER_THREAD;
            int size = Math.max(PANELS_AT_ONCE, (layout.panels() + shares - 1) / shares);
            share(layout.panels(), size, workers, product::panels);
        }
    }

    /** Cuts T rows into as few tiles as can be, of sizes as equal as can be. */
    private static final class Tiles {
        final int rows;
        final int count;

        Tiles(int rows) {
            this.rows = rows;
            this.count = (rows + KernelCode.MAX_TILE_ROWS - 1) / KernelCode.MAX_TILE_ROWS;
        }

        int first(int tile) {
            return (int) ((long) rows * tile / count);
        }

        int size(int tile) {
            return first(tile + 1) - first(tile);
        }
    }

    private static void quantise(long input, PackedLayout layout, Tiles tiles, int tile, long start, long tails) {
        int rows = tiles.size(tile);
        int blocks = 2 * layout.pairs();
        int wholeBlocks = layout.inputs() / PackedLayout.BLOCK;
        int rest = layout.inputs() % PackedLayout.BLOCK;
        int stride = ActivationLayout.blockBytes(rows);
        long tileStart = tileStart(layout, tiles, tile, start);
        for (int r = 0; r < rows; r++) {
            long row = input + 4L * layout.inputs() * (tiles.first(tile) + r);
            quantise(layout.bits(), row, tileStart, rows, r, stride, wholeBlocks);
            if (blocks > wholeBlocks) {
                long tail = tails + 4L * TAIL_FLOATS * tile;
                MemorySegment padded = ALL_MEMORY.asSlice(tail, 4L * TAIL_FLOATS);
                padded.fill((byte) 0);
                MemorySegment.copy(ALL_MEMORY, row + 4L * wholeBlocks * PackedLayout.BLOCK, padded, 0, 4L * rest);
                long at = tileStart + (long) stride * wholeBlocks;
                quantise(layout.bits(), tail, at, rows, r, stride, blocks - wholeBlocks);
            }
        }
    }

    private static void quantise(int bits, long row, long tile, int rows, int r, int stride, int blocks) {
        if (blocks > 0) {
            VnniKernels.quantise(
                    bits,
                    row,
                    tile + ActivationLayout.bytesOffset(r),
                    tile + ActivationLayout.scaleOffset(rows, r),
                    tile + ActivationLayout.startOffset(rows, r),
                    stride,
                    blocks);
        }
    }

    private static long tileStart(PackedLayout layout, Tiles tiles, int tile, long start) {
        return start + (long) tiles.first(tile) * ActivationLayout.blockBytes(1) * 2 * layout.pairs();
    }

    /** What all workers of one product share; {@code edge} has room for the outputs of a tile with one panel. */
    private record Product(PackedLayout layout, long weights, long output, Tiles tiles, long start, long edge) {
        void panels(int from, int to) {
            int wholePanels = layout.outputs() / PackedLayout.PANEL;
            for (int group = from; group < to; group += PANELS_AT_ONCE) {
                int end = Math.min(group + PANELS_AT_ONCE, to);
                for (int tile = 0; tile < tiles.count; tile++) {
                    for (int panel = group; panel < end; panel++) {
                        if (panel < wholePanels) {
                            multiply(panel, tile, output(panel, tile), 4L * layout.outputs());
                        } else {
                            lastPanel(panel, tile);
                        }
                    }
                }
            }
        }

        /** The kernel writes 16 outputs a row; past the last output there are fewer, so it writes beside them. */
        private void lastPanel(int panel, int tile) {
            multiply(panel, tile, edge, 4L * PackedLayout.PANEL);
            int outputs = layout.outputs() % PackedLayout.PANEL;
            for (int r = 0; r < tiles.size(tile); r++) {
                MemorySegment.copy(
                        ALL_MEMORY,
                        edge + 4L * PackedLayout.PANEL * r,
                        ALL_MEMORY,
                        output(panel, tile) + 4L * layout.outputs() * r,
                        4L * outputs);
            }
        }

        private long output(int panel, int tile) {
            return output + 4 * ((long) tiles.first(tile) * layout.outputs() + (long) panel * PackedLayout.PANEL);
        }

        private void multiply(int panel, int tile, long to, long stride) {
            VnniKernels.multiply(
                    layout.bits(),
                    tiles.size(tile),
                    weights + (long) panel * layout.panelBytes(),
                    tileStart(layout, tiles, tile, start),
                    to,
                    stride,
                    layout.pairs());
        }
    }

    @FunctionalInterface
    private interface Range {
        void run(int from, int to);
    }

    private static void share(int items, int size, Workers workers, Range range) {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        int pieces = (items + size - 1) / size;
        workers.run(Math.min(pieces, workers.count()), worker -> {
            try {
                for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                    range.run(piece * size, Math.min(items, (piece + 1) * size));
                }
            } catch (Throwable e) { // a task may throw nothing
                failure.set(e);
            }
        });
        if (failure.get() != null) {
            throw new IllegalStateException("a share of a product failed", failure.get());
        }
    }

    private void reserve(long bytes) {
        if (scratch.byteSize() >= bytes) {
            return;
        }
        close();
        Arena fresh = Arena.ofShared();
        scratch = fresh.allocate(bytes + bytes / 4, 64);
        arena = fresh;
    }

    /** Frees the memory; a later product allocates it anew. */
    @Override
    public void close() {
        if (arena != null) {
            arena.close();
            arena = null;
            scratch = MemorySegment.NULL;
        }
    }
}
