package dev.penstock.weights;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.penstock.onnx.gemm.PackedLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The constant tensors of a graph: each has its place in the external data file, or within the graph file if it is
 * small, before a byte of it is written; so sizes are known in advance and any thread can write any part at any time.
 */
final class InitializerTable {
    /** Tensors up to this size stand in the graph file. */
    static final int INLINE_BYTES = 4096;

    /** From here on numbers round to infinity as 16-bit floats. */
    private static final float HALF_LIMIT = 65520;

    /** ONNX Runtime maps external data into memory where it begins at a page. */
    private static final int ALIGNMENT = 4096;

    private final String dataFile;
    private final TensorProto.DataType numbers;
    private final List<Initializer> initializers = new ArrayList<>();
    private final Map<String, Initializer> byName = new HashMap<>();
    private final List<MatrixJob> jobs = new ArrayList<>();
    private long end;

    /**
     * For an empty table.
     *
     * @param dataFile the data go to a file of that name beside the graph
     * @param numbers type of numbers that are not quantised, FLOAT or FLOAT16
     */
    InitializerTable(String dataFile, TensorProto.DataType numbers) {
        this.dataFile = dataFile;
        this.numbers = numbers;
    }

    /**
     * A constant tensor and where its bytes are.
     *
     * @param offset where they begin in the external data
     * @param inline the bytes themselves for a small tensor, else null
     */
    record Initializer(
            String name,
            TensorProto.DataType type,
            List<Long> dims,
            long offset,
            long bytes,
            byte @Nullable [] inline) {
        /** Bytes of one number. */
        int numberBytes() {
            return InitializerTable.numberBytes(type);
        }
    }

    /**
     * Rows of a tensor of the source, or numbers of a vector, which are rows of one.
     *
     * @param tensor its name
     * @param shape the shape that it must have
     * @param start index of the first number
     * @param rows how many rows there are
     */
    record Part(String tensor, List<Long> shape, long start, int rows) {
        /** All of a matrix. */
        static Part matrix(String tensor, int rows, int columns) {
            return new Part(tensor, List.of((long) rows, (long) columns), 0, rows);
        }

        /** Makes sure that the source has it. */
        void requireFrom(WeightSource source) {
            source.require(tensor, shape.stream().mapToLong(Long::longValue).toArray());
        }
    }

    /**
     * What is done to a number on its way from the source.
     *
     * @param offset is added first
     * @param factor then multiplies
     */
    record Linear(double offset, double factor) {
        static final Linear IDENTITY = new Linear(0, 1);

        /** Changes the first {@code count} numbers. */
        void apply(float[] values, int count) {
            if (!equals(IDENTITY)) {
                for (int i = 0; i < count; i++) {
                    values[i] = (float) ((values[i] + offset) * factor);
                }
            }
        }
    }

    /** Numbers of a matrix that must be computed and written, row by row. */
    sealed interface MatrixJob {
        /** Rows in all. */
        int rows();

        /** Numbers of a row. */
        int columns();

        /** What it reads from the source. */
        List<Part> parts();
    }

    /** Rows of source tensors, one after the other, as numbers of the target's type. */
    record FloatJob(Initializer target, List<Part> parts, int rows, int columns, Linear change) implements MatrixJob {}

    /** Rows of two runs of source tensors in turn, as numbers of the target's type. */
    record InterleavedJob(Initializer target, List<Part> first, List<Part> second, int rows, int columns)
            implements MatrixJob {
        @Override
        public List<Part> parts() {
            return Stream.concat(first.stream(), second.stream()).toList();
        }
    }

    /** Rows of source tensors, one after the other, as codes and scales. */
    record QuantizedJob(Initializer codes, Initializer scales, List<Part> parts, int rows, int columns, int bits)
            implements MatrixJob {}

    /**
     * Rows of source tensors, one after the other, as packed panels.
     *
     * @param first where the first panel goes in the target, counted in panels
     * @param stride panels from one of this job to its next
     */
    record PackedJob(Initializer target, List<Part> parts, PackedLayout layout, int first, int stride)
            implements MatrixJob {
        @Override
        public int rows() {
            return layout.outputs();
        }

        @Override
        public int columns() {
            return layout.inputs();
        }
    }

    /** Rows that a function gives, as numbers of the target's type. */
    record ComputedJob(Initializer target, IntFunction<float[]> row, int rows, int columns) implements MatrixJob {
        @Override
        public List<Part> parts() {
            return List.of();
        }
    }

    /** Names of the two tensors of a quantised matrix. */
    record Quantized(String codes, String scales) {}

    /** All that must be written. */
    List<MatrixJob> jobs() {
        return jobs;
    }

    /** Bytes that the jobs write, inline ones included. */
    long jobBytes() {
        return jobs.stream()
                .mapToLong(job -> switch (job) {
                    case FloatJob j -> j.target().bytes();
                    case InterleavedJob j -> j.target().bytes();
                    case ComputedJob j -> j.target().bytes();
                    case PackedJob j -> j.layout().bytes();
                    case QuantizedJob j -> j.codes().bytes() + j.scales().bytes();
                })
                .sum();
    }

    /**
     * Makes sure that a source has all that the jobs read.
     *
     * @throws ModelFolderException if not
     */
    void requireFrom(WeightSource source) {
        for (MatrixJob job : jobs) {
            job.parts().forEach(part -> part.requireFrom(source));
        }
    }

    /** Bytes of the external data. */
    long dataBytes() {
        return end;
    }

    /** Adds a vector of numbers of the source; a name that is there already is not added twice. */
    String vector(String name, List<Part> parts, Linear change) {
        return vector(name, parts, change, numbers);
    }

    /** As {@link #vector(String, List, Linear)}, of a type of its own. */
    String vector(String name, List<Part> parts, Linear change, TensorProto.DataType type) {
        if (!byName.containsKey(name)) {
            int size = rows(parts);
            Initializer target = add(name, type, List.of((long) size), (long) numberBytes(type) * size);
            jobs.add(new FloatJob(target, parts, size, 1, change));
        }
        return name;
    }

    /** Adds a matrix of numbers, [sum of rows, columns]; a name that is there already is not added twice. */
    String floats(String name, List<Part> parts, int columns) {
        if (!byName.containsKey(name)) {
            int rows = rows(parts);
            jobs.add(new FloatJob(matrix(name, rows, columns), parts, rows, columns, Linear.IDENTITY));
        }
        return name;
    }

    /** Adds a matrix whose even rows are those of one run of tensors and whose odd rows those of another, as long. */
    String interleaved(String name, List<Part> even, List<Part> odd, int columns) {
        int rows = Math.multiplyExact(2, rows(even));
        jobs.add(new InterleavedJob(matrix(name, rows, columns), even, odd, rows, columns));
        return name;
    }

    /** Adds a matrix of numbers that a function gives row by row. */
    String computed(String name, int rows, int columns, IntFunction<float[]> row) {
        Initializer target = matrix(name, rows, columns);
        jobs.add(new ComputedJob(target, row, rows, columns));
        return name;
    }

    /** Adds whole numbers, int64 [values]; a name that is there already is not added twice. */
    String integers(String name, long... values) {
        if (!byName.containsKey(name)) {
            ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asLongBuffer().put(values);
            put(new Initializer(
                    name,
                    TensorProto.DataType.INT64,
                    List.of((long) values.length),
                    0,
                    bytes.capacity(),
                    bytes.array()));
        }
        return name;
    }

    /** Adds one number, [1]. */
    String number(String name, float value, TensorProto.DataType type) {
        byte[] bytes = new byte[numberBytes(type)];
        bytes(new float[] {value}, 1, type, ByteBuffer.wrap(bytes));
        put(new Initializer(name, type, List.of(1L), 0, bytes.length, bytes));
        return name;
    }

    /**
     * Adds a matrix for MatMulNBits: codes [rows, blocks, blockBytes], scales [rows, blocks]; a name that is there
     * already is not added twice.
     */
    Quantized quantized(String name, List<Part> parts, int columns, int bits) {
        int rows = rows(parts);
        Quantized names = new Quantized(name + ".codes", name + ".scales");
        if (byName.containsKey(names.codes())) {
            return names;
        }
        long blocks = BlockQuantizer.blocks(columns);
        long blockBytes = BlockQuantizer.blockBytes(bits);
        Initializer codes = add(
                names.codes(),
                TensorProto.DataType.UINT8,
                List.of((long) rows, blocks, blockBytes),
                rows * blocks * blockBytes);
        Initializer scales =
                add(names.scales(), numbers, List.of((long) rows, blocks), numberBytes(numbers) * rows * blocks);
        jobs.add(new QuantizedJob(codes, scales, parts, rows, columns, bits));
        return names;
    }

    /** Adds a matrix of packed panels, uint8 [bytes]; a name that is there already is not added twice. */
    String packed(String name, List<Part> parts, PackedLayout layout) {
        if (!byName.containsKey(name)) {
            Initializer target = add(name, TensorProto.DataType.UINT8, List.of(layout.bytes()), layout.bytes());
            jobs.add(new PackedJob(target, parts, layout, 0, 1));
        }
        return name;
    }

    /** Adds two matrices of the same layout, a panel of the one before its partner of the other, uint8 [2 * bytes]. */
    String packedPair(String name, List<Part> first, List<Part> second, PackedLayout layout) {
        long bytes = 2 * layout.bytes();
        Initializer target = add(name, TensorProto.DataType.UINT8, List.of(bytes), bytes);
        jobs.add(new PackedJob(target, first, layout, 0, 2));
        jobs.add(new PackedJob(target, second, layout, 1, 2));
        return name;
    }

    /** Adds a second name and shape for the bytes of a tensor; the two share their place. */
    String alias(String of, String name, long... dims) {
        Initializer original = get(of);
        List<Long> shape = new ArrayList<>();
        for (long dim : dims) {
            shape.add(dim);
        }
        put(new Initializer(
                name, original.type(), List.copyOf(shape), original.offset(), original.bytes(), original.inline()));
        return name;
    }

    /** The tensors as they stand in a graph file; call it when all jobs are done, since small ones hold their bytes. */
    List<TensorProto> protos() {
        return initializers.stream().map(this::proto).toList();
    }

    private TensorProto proto(Initializer initializer) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(initializer.name())
                .setDataType(initializer.type().getNumber())
                .addAllDims(initializer.dims());
        if (initializer.inline() != null) {
            return tensor.setRawData(ByteString.copyFrom(initializer.inline())).build();
        }
        return tensor.setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", dataFile))
                .addExternalData(entry("offset", Long.toString(initializer.offset())))
                .addExternalData(entry("length", Long.toString(initializer.bytes())))
                .build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static int rows(List<Part> parts) {
        return parts.stream().mapToInt(Part::rows).reduce(0, Math::addExact);
    }

    private Initializer get(String name) {
        @Nullable Initializer initializer = byName.get(name);
        if (initializer == null) {
            throw new IllegalArgumentException("no initializer " + name);
        }
        return initializer;
    }

    private Initializer matrix(String name, int rows, int columns) {
        return add(name, numbers, List.of((long) rows, (long) columns), (long) numberBytes(numbers) * rows * columns);
    }

    private Initializer add(String name, TensorProto.DataType type, List<Long> dims, long bytes) {
        if (bytes <= INLINE_BYTES) {
            return put(new Initializer(name, type, dims, 0, bytes, new byte[(int) bytes]));
        }
        long offset = Math.ceilDiv(end, ALIGNMENT) * ALIGNMENT;
        end = offset + bytes;
        return put(new Initializer(name, type, dims, offset, bytes, null));
    }

    private Initializer put(Initializer initializer) {
        if (byName.putIfAbsent(initializer.name(), initializer) != null) {
            throw new IllegalArgumentException("two initializers " + initializer.name());
        }
        initializers.add(initializer);
        return initializer;
    }

    /** Bytes of a number of this type, FLOAT or FLOAT16. */
    static int numberBytes(TensorProto.DataType type) {
        return type == TensorProto.DataType.FLOAT16 ? Short.BYTES : Float.BYTES;
    }

    /**
     * Floats as the little-endian bytes that ONNX stores.
     *
     * @param type FLOAT or FLOAT16
     * @throws ArithmeticException one is no number of that type: too large, or not finite
     */
    static ByteBuffer bytes(float[] values, int count, TensorProto.DataType type, ByteBuffer buffer) {
        buffer.clear().order(ByteOrder.LITTLE_ENDIAN);
        if (type == TensorProto.DataType.FLOAT) {
            buffer.asFloatBuffer().put(values, 0, count);
        } else {
            ShortBuffer halves = buffer.asShortBuffer();
            for (int i = 0; i < count; i++) {
                if (!(Math.abs(values[i]) < HALF_LIMIT)) {
                    throw new ArithmeticException(values[i] + " is no 16-bit float");
                }
                halves.put(i, Float.floatToFloat16(values[i]));
            }
        }
        return buffer.limit(numberBytes(type) * count);
    }
}
