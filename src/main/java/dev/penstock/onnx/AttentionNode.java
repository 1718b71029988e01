package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.model.KvType;
import dev.penstock.onnx.attention.AttentionCall;
import dev.penstock.onnx.attention.AttentionConfig;
import dev.penstock.onnx.attention.PagedAttention;
import dev.penstock.onnx.attention.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** One attention node of a session: takes the tensors off ONNX Runtime's context and hands them to the kernel. */
final class AttentionNode implements Workers {
    private static final int MAX_RANK = 4;

    private final PagedAttentionOp owner;
    private final AttentionConfig config;
    private final PagedAttention kernel;
    /** Results of calls: a type, a pointer to a shape, a rank, a pointer to a value or data. */
    private final MemorySegment results = Arena.ofAuto().allocate(JAVA_LONG, 4);

    private final MemorySegment outputShape = Arena.ofAuto().allocate(JAVA_LONG, 2);

    private long number;
    private long context;
    private volatile @Nullable Task task;

    /** Reads the node's attributes; throws where they make no sense. */
    AttentionNode(PagedAttentionOp owner, long info) {
        this.owner = owner;
        long window = integer(info, GraphContract.ATTR_WINDOW, -1);
        config = new AttentionConfig(
                Math.toIntExact(integer(info, GraphContract.ATTR_HEADS, 0)),
                Math.toIntExact(integer(info, GraphContract.ATTR_KV_HEADS, 0)),
                number(info, GraphContract.ATTR_SCALE),
                number(info, GraphContract.ATTR_SOFTCAP),
                window < 0 ? Integer.MAX_VALUE : Math.toIntExact(window),
                integer(info, GraphContract.ATTR_DO_ROTARY, 0) != 0,
                integer(info, GraphContract.ATTR_INTERLEAVED, 0) != 0);
        kernel = new PagedAttention(config, owner.scratch());
    }

    private static long integer(long info, String name, long absent) {
        MemorySegment value = attribute(OrtApi.KERNEL_INFO_GET_ATTRIBUTE_INT64, info, name);
        return value == null ? absent : value.get(JAVA_LONG, 0);
    }

    private static float number(long info, String name) {
        MemorySegment value = attribute(OrtApi.KERNEL_INFO_GET_ATTRIBUTE_FLOAT, info, name);
        return value == null ? 0 : value.get(JAVA_FLOAT, 0);
    }

    private static @Nullable MemorySegment attribute(MethodHandle get, long info, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = Arena.ofAuto().allocate(JAVA_LONG);
            OrtApi.check((long) get.invokeExact(info, arena.allocateFrom(name).address(), value.address()));
            return value;
        } catch (OnnxException e) { // ONNX Runtime's only way to say that there is no such attribute
            return null;
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }

    /** A tensor of the context; address 0 for an absent one. */
    private record Tensor(long address, int type, int rank, long d0, long d1, long d2, long d3) {
        boolean absent() {
            return address == 0;
        }

        Tensor require(int rank, String name) {
            if (absent() || this.rank != rank) {
                throw new IllegalArgumentException(
                        absent() ? name + " is missing" : name + " has rank " + this.rank + ", not " + rank);
            }
            return this;
        }
    }

    private static final Tensor ABSENT = new Tensor(0, 0, 0, 0, 0, 0, 0);

    private Tensor input(long index) throws Throwable {
        long out = results.address();
        OrtApi.check((long) OrtApi.KERNEL_CONTEXT_GET_INPUT.invokeExact(context, index, out));
        long value = results.get(JAVA_LONG, 0);
        if (value == 0) {
            return ABSENT;
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

    private long output(long tokens, long width) throws Throwable {
        outputShape.setAtIndex(JAVA_LONG, 0, tokens);
        outputShape.setAtIndex(JAVA_LONG, 1, width);
        long out = results.address();
        OrtApi.check((long) OrtApi.KERNEL_CONTEXT_GET_OUTPUT.invokeExact(context, 0L, outputShape.address(), 2L, out));
        long value = results.get(JAVA_LONG, 0);
        OrtApi.check((long) OrtApi.GET_TENSOR_MUTABLE_DATA.invokeExact(value, out));
        return results.get(JAVA_LONG, 0);
    }

    /** Runs the node once. */
    void compute(long number, long context) throws Throwable {
        this.number = number;
        this.context = context;
        kernel.run(call(), this);
    }

    private AttentionCall call() throws Throwable {
        Tensor query = input(0).require(2, "query");
        Tensor key = input(1);
        Tensor value = input(2);
        Tensor keyCache = input(3).require(4, "key_cache");
        Tensor valueCache = input(4).require(4, "value_cache");
        Tensor starts = input(5).require(1, "cumulative_sequence_length");
        Tensor past = input(6).require(1, "past_seqlens");
        Tensor table = input(7).require(2, "block_table");
        Tensor cos = input(8);
        Tensor sin = input(9);
        int headSize = Math.toIntExact(keyCache.d3);
        int queryWidth = Math.multiplyExact(config.heads(), headSize);
        int keyWidth = Math.multiplyExact(config.kvHeads(), headSize);
        if (keyCache.d2 != config.kvHeads()
                || valueCache.d0 != keyCache.d0
                || valueCache.d1 != keyCache.d1
                || valueCache.d2 != keyCache.d2
                || valueCache.d3 != keyCache.d3
                || valueCache.type != keyCache.type) {
            throw new IllegalArgumentException(
                    "key_cache and value_cache differ, or do not have %d heads".formatted(config.kvHeads()));
        }
        if (past.d0 + 1 != starts.d0 || table.d0 != past.d0) {
            throw new IllegalArgumentException(
                    "%d sequence starts, %d past lengths and %d rows of blocks do not belong together"
                            .formatted(starts.d0, past.d0, table.d0));
        }
        boolean packed = key.absent() && value.absent();
        if (packed) {
            expectWidth("packed query", query, queryWidth + 2 * keyWidth);
        } else {
            expectWidth("query", query, queryWidth);
            expectWidth("key", key.require(2, "key"), keyWidth);
            expectWidth("value", value.require(2, "value"), keyWidth);
            if (key.d0 != query.d0 || value.d0 != query.d0) {
                throw new IllegalArgumentException("query, key and value differ in their number of tokens");
            }
        }
        if (config.rotary()) {
            cos.require(2, "cos_cache");
            sin.require(2, "sin_cache");
            if (cos.d0 != sin.d0 || cos.d1 != sin.d1) {
                throw new IllegalArgumentException("cos_cache and sin_cache differ in shape");
            }
        }
        int tokens = Math.toIntExact(query.d0);
        return new AttentionCall(
                query.address,
                packed ? query.address + 4L * queryWidth : key.address,
                packed ? query.address + 4L * (queryWidth + keyWidth) : value.address,
                Math.toIntExact(query.d1),
                Math.toIntExact(packed ? query.d1 : keyWidth),
                Math.toIntExact(packed ? query.d1 : keyWidth),
                tokens,
                headSize,
                keyCache.address,
                valueCache.address,
                kvType(keyCache.type),
                Math.toIntExact(keyCache.d0),
                Math.toIntExact(keyCache.d1),
                starts.address,
                past.address,
                table.address,
                Math.toIntExact(past.d0),
                Math.toIntExact(table.d1),
                cos.address,
                sin.address,
                Math.toIntExact(cos.d0),
                Math.toIntExact(cos.d1),
                output(tokens, queryWidth));
    }

    private static void expectWidth(String name, Tensor tensor, int width) {
        if (tensor.d1 != width) {
            throw new IllegalArgumentException("%s is %d wide, not %d".formatted(name, tensor.d1, width));
        }
    }

    private static KvType kvType(int type) {
        if (type == ElementType.FLOAT.code()) {
            return KvType.FP32;
        }
        if (type == ElementType.FLOAT16.code()) {
            return KvType.FP16;
        }
        throw new IllegalArgumentException("the cache is neither float nor float16");
    }

    @Override
    public int count() {
        return owner.threads();
    }

    @Override
    public void run(int tasks, Task work) {
        task = work;
        try {
            // As many batches as tasks: each thread takes one.
            OrtApi.check((long) OrtApi.KERNEL_CONTEXT_PARALLEL_FOR.invokeExact(
                    context, PagedAttentionOp.TASK, (long) tasks, (long) tasks, number));
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
