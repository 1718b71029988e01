package dev.penstock.weights;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.penstock.onnx.gemm.PackedLayout;
import dev.penstock.weights.InitializerTable.ComputedJob;
import dev.penstock.weights.InitializerTable.FloatJob;
import dev.penstock.weights.InitializerTable.Initializer;
import dev.penstock.weights.InitializerTable.InterleavedJob;
import dev.penstock.weights.InitializerTable.Linear;
import dev.penstock.weights.InitializerTable.MatrixJob;
import dev.penstock.weights.InitializerTable.PackedJob;
import dev.penstock.weights.InitializerTable.Part;
import dev.penstock.weights.InitializerTable.QuantizedJob;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Computes the tensors of an {@link InitializerTable} and writes them, on several threads. Matrices are cut into runs
 * of rows of about {@value #CHUNK} numbers, so memory goes with threads, not with the model.
 */
final class DataWriter {
    /** Numbers in one piece of work: 4 MiB of floats. */
    private static final int CHUNK = 1 << 20;

    private final WeightSource source;
    private final StoreFiles.DataFile data;
    private final Rounding rounding;
    private final BuildProgress progress;

    /** Writes numbers of that source into that file; bytes written are told to {@code progress}. */
    DataWriter(WeightSource source, StoreFiles.DataFile data, Rounding rounding, BuildProgress progress) {
        this.source = source;
        this.data = data;
        this.rounding = rounding;
        this.progress = progress;
    }

    /** Rows {@code from} to {@code to} of a job. */
    private record Chunk(MatrixJob job, int from, int to) {}

    /**
     * Does all jobs of the table.
     *
     * @throws IOException the file can't be written
     * @throws ModelFolderException the source holds what is no weight
     */
    void write(InitializerTable table, int threads) throws IOException {
        List<Chunk> chunks = new ArrayList<>();
        for (MatrixJob job : table.jobs()) {
            // Whole panels, where there are any.
            int rows = Math.max(1, CHUNK / job.columns() / PackedLayout.PANEL) * PackedLayout.PANEL;
            for (int from = 0; from < job.rows(); from += rows) {
                chunks.add(new Chunk(job, from, Math.min(job.rows(), from + rows)));
            }
        }
        AtomicInteger next = new AtomicInteger();
        Callable<Void> worker = () -> {
            Scratch scratch = new Scratch(rounding);
            for (int i = next.getAndIncrement(); i < chunks.size(); i = next.getAndIncrement()) {
                try {
                    write(chunks.get(i), scratch);
                } catch (Throwable e) {
                    next.set(chunks.size());
                    throw e;
                }
            }
            return null;
        };
        run(worker, Math.clamp(chunks.size(), 1, threads));
    }

    private static void run(Callable<Void> worker, int threads) throws IOException {
        try (ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name("weights-", 0).daemon().factory())) {
            List<Future<Void>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                results.add(pool.submit(worker));
            }
            for (Future<Void> result : results) {
                try {
                    result.get();
                } catch (InterruptedException e) {
                    pool.shutdownNow();
                    Thread.currentThread().interrupt();
                    throw new CancellationException("the build was interrupted");
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    private void write(Chunk chunk, Scratch scratch) throws IOException {
        try {
            convert(chunk, scratch);
        } catch (ArithmeticException e) {
            throw new ModelFolderException(
                    "tensor `" + firstTensor(chunk) + "` or one that is packed with it: " + e.getMessage());
        }
    }

    private static String firstTensor(Chunk chunk) {
        return chunk.job().parts().stream().findFirst().map(Part::tensor).orElse("");
    }

    private void convert(Chunk chunk, Scratch scratch) throws IOException {
        int columns = chunk.job().columns();
        int rows = chunk.to() - chunk.from();
        switch (chunk.job()) {
            case ComputedJob(Initializer target, var row, int _, int _) -> {
                float[] values = scratch.floats(rows * columns);
                for (int r = 0; r < rows; r++) {
                    System.arraycopy(row.apply(chunk.from() + r), 0, values, r * columns, columns);
                }
                putNumbers(target, chunk.from() * (long) columns, values, rows * columns, scratch);
            }
            case FloatJob(Initializer target, List<Part> parts, int _, int _, Linear change) -> {
                float[] values = read(parts, columns, chunk, scratch);
                change.apply(values, rows * columns);
                putNumbers(target, chunk.from() * (long) columns, values, rows * columns, scratch);
            }
            case InterleavedJob(Initializer target, List<Part> even, List<Part> odd, int _, int _) -> {
                // Chunks begin and end at even rows.
                int pairs = rows / 2;
                float[] apart = new float[rows * columns];
                read(even, columns, chunk.from() / 2, pairs, apart, 0);
                read(odd, columns, chunk.from() / 2, pairs, apart, pairs);
                float[] values = scratch.floats(rows * columns);
                for (int r = 0; r < rows; r++) {
                    System.arraycopy(apart, (r / 2 + r % 2 * pairs) * columns, values, r * columns, columns);
                }
                putNumbers(target, chunk.from() * (long) columns, values, rows * columns, scratch);
            }
            case PackedJob job -> writePanels(job, chunk, scratch);
            case QuantizedJob(Initializer codes, Initializer scales, List<Part> parts, int _, int _, int bits) -> {
                float[] values = read(parts, columns, chunk, scratch);
                int blocks = BlockQuantizer.blocks(columns);
                int rowBytes = blocks * BlockQuantizer.blockBytes(bits);
                byte[] c = scratch.codes(rows * rowBytes);
                float[] s = scratch.scales(rows * blocks);
                quantize(values, rows, columns, bits, parts, scratch);
                put(codes, (long) chunk.from() * rowBytes, scratch.bytes(c, 0, rows * rowBytes));
                putNumbers(scales, (long) chunk.from() * blocks, s, rows * blocks, scratch);
            }
        }
    }

    private void writePanels(PackedJob job, Chunk chunk, Scratch scratch) throws IOException {
        PackedLayout layout = job.layout();
        List<Part> parts = job.parts();
        int rows = chunk.to() - chunk.from();
        float[] values = read(parts, layout.inputs(), chunk, scratch);
        quantize(values, rows, layout.inputs(), layout.bits(), parts, scratch);
        int panels = Math.ceilDiv(rows, PackedLayout.PANEL);
        byte[] packed = scratch.panels(panels * layout.panelBytes());
        for (int p = 0; p < panels; p++) {
            int first = p * PackedLayout.PANEL;
            layout.pack(
                    scratch.codes(0),
                    scratch.scales(0),
                    first,
                    Math.min(PackedLayout.PANEL, rows - first),
                    packed,
                    p * layout.panelBytes());
        }
        long firstPanel = chunk.from() / PackedLayout.PANEL;
        // Neighbours go in one write.
        int together = job.stride() == 1 ? panels : 1;
        for (int p = 0; p < panels; p += together) {
            long at = (job.first() + (firstPanel + p) * job.stride()) * layout.panelBytes();
            int bytes = together * layout.panelBytes();
            put(job.target(), at, scratch.bytes(packed, p * layout.panelBytes(), bytes));
        }
    }

    /** Leaves codes and scales of the rows in the worker's buffers. */
    private static void quantize(float[] values, int rows, int columns, int bits, List<Part> parts, Scratch scratch) {
        int blocks = BlockQuantizer.blocks(columns);
        byte[] codes = scratch.codes(rows * blocks * BlockQuantizer.blockBytes(bits));
        if (!scratch.quantizer(bits).quantize(values, rows, columns, codes, scratch.scales(rows * blocks))) {
            throw new ModelFolderException(
                    "tensor `" + parts.getFirst().tensor() + "` or one that is packed with it holds NaN or infinity");
        }
    }

    /** Rows of the chunk, [rows, columns], from the tensors that they are spread over. */
    private float[] read(List<Part> parts, int columns, Chunk chunk, Scratch scratch) {
        int rows = chunk.to() - chunk.from();
        float[] values = scratch.floats(rows * columns);
        read(parts, columns, chunk.from(), rows, values, 0);
        return values;
    }

    /** Reads rows from the first one on into rows of {@code values} from {@code target} on. */
    private void read(List<Part> parts, int columns, int first, int rows, float[] values, int target) {
        int partStart = 0;
        for (Part part : parts) {
            int from = Math.max(first, partStart);
            int to = Math.min(first + rows, partStart + part.rows());
            if (from < to) {
                source.read(
                        part.tensor(),
                        part.start() + (long) (from - partStart) * columns,
                        values,
                        (target + from - first) * columns,
                        (to - from) * columns);
            }
            partStart += part.rows();
        }
    }

    /** Writes numbers from that number of the target on. */
    private void putNumbers(Initializer target, long first, float[] values, int count, Scratch scratch)
            throws IOException {
        put(target, first * target.numberBytes(), scratch.bytes(values, count, target.type()));
    }

    private void put(Initializer target, long at, ByteBuffer bytes) throws IOException {
        int count = bytes.remaining();
        if (target.inline() != null) {
            bytes.get(target.inline(), (int) at, count);
        } else {
            data.write(bytes, target.offset() + at);
        }
        progress.advance(count);
    }

    /** Buffers of one worker: they grow to the largest chunk, and no further. */
    private static final class Scratch {
        private float[] floats = {};
        private float[] scales = {};
        private byte[] codes = {};
        private byte[] panels = {};
        private ByteBuffer bytes = ByteBuffer.allocateDirect(1 << 16);
        private final BlockQuantizer quantizer4;
        private final BlockQuantizer quantizer8 = new BlockQuantizer(8, Rounding.NEAREST);

        Scratch(Rounding rounding) {
            quantizer4 = new BlockQuantizer(4, rounding);
        }

        float[] floats(int count) {
            return floats = floats.length < count ? new float[count] : floats;
        }

        float[] scales(int count) {
            return scales = scales.length < count ? new float[count] : scales;
        }

        byte[] codes(int count) {
            return codes = codes.length < count ? new byte[count] : codes;
        }

        byte[] panels(int count) {
            return panels = panels.length < count ? new byte[count] : panels;
        }

        BlockQuantizer quantizer(int bits) {
            return bits == 4 ? quantizer4 : quantizer8;
        }

        ByteBuffer bytes(float[] values, int count, TensorProto.DataType type) {
            return InitializerTable.bytes(values, count, type, room(InitializerTable.numberBytes(type) * count));
        }

        ByteBuffer bytes(byte[] values, int from, int count) {
            return room(count).clear().put(values, from, count).flip();
        }

        private ByteBuffer room(int count) {
            return bytes = bytes.capacity() < count ? ByteBuffer.allocateDirect(count) : bytes;
        }
    }
}
