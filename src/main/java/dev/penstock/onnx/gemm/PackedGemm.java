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

    private static final long TAIL_BYTES = 4L * 2 * PackedLayout.BLOCK;

    /** Bytes of a row of outputs of one panel, and of a tile of them. */
    private static final long PANEL_ROW_BYTES = 4L * PackedLayout.PANEL;

    private static final long TILE_BYTES = PANEL_ROW_BYTES * KernelCode.MAX_TILE_ROWS;

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
        run(
                input,
                rows,
                layout,
                output,
                workers,
                (tiles, panel, tile, worker, to, stride) -> tiles.multiply(weights, panel, tile, to, stride));
    }

    /**
     * Computes the first half of a gated MLP: output [T, N] = activation(gate) * up, where gate and up are the products of the
     * input with two matrices of the same layout.
     *
     * @param weights address of the packed weights of both: each panel of the gate before its partner
     */
    public void multiplyGated(
            long input,
            int rows,
            long weights,
            PackedLayout layout,
            Activation activation,
            long output,
            Workers workers) {
        run(input, rows, layout, output, workers, (tiles, panel, tile, worker, to, stride) -> {
            long gate = tiles.partners(worker);
            long up = gate + TILE_BYTES;
            tiles.multiply(weights, 2 * panel, tile, gate, PANEL_ROW_BYTES);
            tiles.multiply(weights, 2 * panel + 1, tile, up, PANEL_ROW_BYTES);
            VnniKernels.gate(activation, gate, up, to, stride, tiles.size(tile));
        });
    }

    private void run(long input, int rows, PackedLayout layout, long output, Workers workers, Kernel kernel) {
        if (rows == 0) {
            return;
        }
        Tiles tiles = new Tiles(layout, rows);
        reserve(tiles.bytes() + TILE_BYTES * (1 + 2L * workers.count()));
        tiles.start = scratch.address();

        if ((long) rows * layout.inputs() < QUANTISE_ALONE) {
            tiles.quantise(input, 0, tiles.count);
        } else {
            share(tiles.count, 1, workers, (worker, from, to) -> tiles.quantise(input, from, to));
        }

        Product product = new Product(layout, output, tiles, kernel);
        if (layout.bytes() * tiles.count < MULTIPLY_ALONE) {
            product.panels(0, 0, layout.panels());
        } else {
            int shares = workers.count() * SHARES_PER_THREAD;
            int size = Math.max(PANELS_AT_ONCE, (layout.panels() + shares - 1) / shares);
            share(layout.panels(), size, workers, product::panels);
        }
    }

    /** Makes the outputs of a tile of rows and a panel of weights: 16 floats a row. */
    @FunctionalInterface
    private interface Kernel {
        void run(Tiles tiles, int panel, int tile, int worker, long to, long stride);
    }

    /**
     * The quantised rows of one product: cut into as few tiles as can be, of sizes as equal as can be. Behind them in memory
     * come room for a row's last, filled-up pair of blocks for each tile, and room for tiles of outputs.
     */
    private static final class Tiles {
        final PackedLayout layout;
        final int rows;
        final int count;
        long start;

        Tiles(PackedLayout layout, int rows) {
            this.layout = layout;
            this.rows = rows;
            this.count = (rows + KernelCode.MAX_TILE_ROWS - 1) / KernelCode.MAX_TILE_ROWS;
        }

        int first(int tile) {
            return (int) ((long) rows * tile / count);
        }

        int size(int tile) {
            return first(tile + 1) - first(tile);
        }

        /** Bytes of quantised rows and tails. */
        long bytes() {
            return rowsBytes(rows) + TAIL_BYTES * count;
        }

        private long rowsBytes(int rows) {
            return (long) rows * ActivationLayout.blockBytes(1) * 2 * layout.pairs();
        }

        private long at(int tile) {
            return start + rowsBytes(first(tile));
        }

        private long tail(int tile) {
            return start + rowsBytes(rows) + TAIL_BYTES * tile;
        }

        /** Room for the outputs of a tile and the last panel, which has fewer than 16. */
        long edge() {
            return start + bytes();
        }

        /** Room for two tiles of outputs that a worker has to itself. */
        long partners(int worker) {
            return edge() + TILE_BYTES * (1 + 2L * worker);
        }

        void multiply(long weights, int panel, int tile, long to, long stride) {
            VnniKernels.multiply(
                    layout.bits(),
                    size(tile),
                    weights + (long) panel * layout.panelBytes(),
                    at(tile),
                    to,
                    stride,
                    layout.pairs());
        }

        void quantise(long input, int from, int to) {
            for (int tile = from; tile < to; tile++) {
                quantise(input, tile);
            }
        }

        private void quantise(long input, int tile) {
            int tileRows = size(tile);
            int blocks = 2 * layout.pairs();
            int wholeBlocks = layout.inputs() / PackedLayout.BLOCK;
            int rest = layout.inputs() % PackedLayout.BLOCK;
            long stride = ActivationLayout.blockBytes(tileRows);
            for (int r = 0; r < tileRows; r++) {
                long row = input + 4L * layout.inputs() * (first(tile) + r);
                quantise(row, at(tile), tileRows, r, wholeBlocks);
                if (blocks > wholeBlocks) {
                    long tail = tail(tile);
                    MemorySegment padded = ALL_MEMORY.asSlice(tail, TAIL_BYTES);
                    padded.fill((byte) 0);
                    MemorySegment.copy(ALL_MEMORY, row + 4L * wholeBlocks * PackedLayout.BLOCK, padded, 0, 4L * rest);
                    quantise(tail, at(tile) + stride * wholeBlocks, tileRows, r, blocks - wholeBlocks);
                }
            }
        }

        private void quantise(long row, long to, int tileRows, int r, int blocks) {
            if (blocks > 0) {
                VnniKernels.quantise(
                        layout.bits(),
                        row,
                        to + ActivationLayout.bytesOffset(r),
                        to + ActivationLayout.scaleOffset(tileRows, r),
                        to + ActivationLayout.startOffset(tileRows, r),
                        ActivationLayout.blockBytes(tileRows),
                        blocks);
            }
        }
    }

    /** What all workers of one product share. */
    private record Product(PackedLayout layout, long output, Tiles tiles, Kernel kernel) {
        void panels(int worker, int from, int to) {
            int wholePanels = layout.outputs() / PackedLayout.PANEL;
            for (int group = from; group < to; group += PANELS_AT_ONCE) {
                int end = Math.min(group + PANELS_AT_ONCE, to);
                for (int tile = 0; tile < tiles.count; tile++) {
                    for (int panel = group; panel < end; panel++) {
                        if (panel < wholePanels) {
                            kernel.run(tiles, panel, tile, worker, output(panel, tile), 4L * layout.outputs());
                        } else {
                            lastPanel(panel, tile, worker);
                        }
                    }
                }
            }
        }

        /** The kernel writes 16 outputs a row; past the last output there are fewer, so it writes beside them. */
        private void lastPanel(int panel, int tile, int worker) {
            kernel.run(tiles, panel, tile, worker, tiles.edge(), PANEL_ROW_BYTES);
            int outputs = layout.outputs() % PackedLayout.PANEL;
            for (int r = 0; r < tiles.size(tile); r++) {
                MemorySegment.copy(
                        ALL_MEMORY,
                        tiles.edge() + PANEL_ROW_BYTES * r,
                        ALL_MEMORY,
                        output(panel, tile) + 4L * layout.outputs() * r,
                        4L * outputs);
            }
        }

        private long output(int panel, int tile) {
            return output + 4 * ((long) tiles.first(tile) * layout.outputs() + (long) panel * PackedLayout.PANEL);
        }
    }

    @FunctionalInterface
    private interface Range {
        void run(int worker, int from, int to);
    }

    private static void share(int items, int size, Workers workers, Range range) {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        int pieces = (items + size - 1) / size;
        workers.run(Math.min(pieces, workers.count()), worker -> {
            try {
                for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                    range.run(worker, piece * size, Math.min(items, (piece + 1) * size));
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
