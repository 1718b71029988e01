package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.onnx.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What a kernel of ours has to do with ONNX Runtime while a node is computed: tensors, and threads to share the work. */
final class OperatorContext implements Workers {
    private static final int MAX_RANK = 4;

    private final int threads;
    private final @Nullable Workers own;
    private final long node;
    /** Results of calls: a type, a pointer to a shape, a rank, a pointer to a value or data. */
    private final MemorySegment results = Arena.ofAuto().allocate(JAVA_LONG, 4);

    private final MemorySegment outputShape = Arena.ofAuto().allocate(JAVA_LONG, 2);

    private long context;
    private volatile @Nullable Task task;

    /** For a node of that number, in a session of so many threads; ONNX Runtime's own where {@code own} is null. */
    OperatorContext(int threads, @Nullable Workers own, long node) {
        this.threads = threads;
        this.own = own;
        this.node = node;
    }

    /** Begins a run of the node with this OrtKernelContext. */
    void enter(long kernelContext) {
        context = kernelContext;
    }

    /** A tensor of the context; address 0 for an absent one. */
    record Tensor(long address, int type, int rank, long d0, long d1, long d2, long d3) {
        private static final Tensor ABSENT = new Tensor(0, 0, 0, 0, 0, 0, 0);

        boolean absent() {
            return this == ABSENT;
        }

        Tensor require(int rank, String name) {
            if (absent() || this.rank != rank) {
                throw new IllegalArgumentException(
                        absent() ? name + " is missing" : name + " has rank " + this.rank + ", not " + rank);
            }
            return this;
        }
    }

    /** Input {@code index} of the node. */
    Tensor input(long index) throws Throwable {
        long out = results.address();
        OrtApi.check((long) OrtApi.KERNEL_CONTEXT_GET_INPUT.invokeExact(context, index, out));
        long value = results.get(JAVA_LONG, 0);
        if (value == 0) {
            return Tensor.ABSENT;
        }
        OrtApi.check((long) OrtApi.GET_TENSOR_TYPE_AND_SHAPE_DATA.invokeExact(value, out, out + 8, out + 16));
        int type = results.get(JAVA_INT, 0);
        int rank = (int) results.get(JAVA_LONG, 16);
        if (rank > MAX_RANK) {
            throw new IllegalArgumentException("input " + index + " has rank " + rank);
        }
        MemorySegment shape = MemorySegment.ofAddress(results.get(JAVA_LONG, 8)).reinterpret(8L * rank);
        OrtApi.check((long) OrtApi.GET_TENSOR_MUTABLE_DATA.invokeExact(value, out + 24));
        return new Tensor(
                results.get(JAVA_LONG, 24),
                type,
                rank,
                rank > 0 ? shape.getAtIndex(JAVA_LONG, 0) : 1,
                rank > 1 ? shape.getAtIndex(JAVA_LONG, 1) : 1,
                rank > 2 ? shape.getAtIndex(JAVA_LONG, 2) : 1,
                rank > 3 ? shape.getAtIndex(JAVA_LONG, 3) : 1);
    }

    /** Makes the output, [rows, width] floats; returns its address. */
    long output(long rows, long width) throws Throwable {
        outputShape.setAtIndex(JAVA_LONG, 0, rows);
        outputShape.setAtIndex(JAVA_LONG, 1, width);
        long out = results.address();
        OrtApi.check((long) OrtApi.KERNEL_CONTEXT_GET_OUTPUT.invokeExact(context, 0L, outputShape.address(), 2L, out));
        long value = results.get(JAVA_LONG, 0);
        OrtApi.check((long) OrtApi.GET_TENSOR_MUTABLE_DATA.invokeExact(value, out));
        return results.get(JAVA_LONG, 0);
    }

    @Override
    public int count() {
        return threads;
    }

    @Override
    public void run(int tasks, Task work) {
        if (own != null) {
            own.run(tasks, work);
            return;
        }
        if (tasks == 1) {
            work.run(0);
            return;
        }
        task = work;
        try {
            // As many batches as tasks: each thread takes one.
            OrtApi.check((long) OrtApi.KERNEL_CONTEXT_PARALLEL_FOR.invokeExact(
                    context, CustomOperator.TASK, (long) tasks, (long) tasks, node));
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        } finally {
            task = null;
        }
    }

    /** Does one task; called by any of ONNX Runtime's threads. */
    void task(int index) {
        Task work = task;
        if (work != null) {
            work.run(index);
        }
    }
}
