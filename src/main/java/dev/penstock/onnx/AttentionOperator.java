package dev.penstock.onnx;

import dev.penstock.model.KvType;
import dev.penstock.onnx.OperatorContext.Tensor;
import dev.penstock.onnx.attention.AttentionCall;
import dev.penstock.onnx.attention.AttentionConfig;
import dev.penstock.onnx.attention.AttentionScratch;
import dev.penstock.onnx.attention.PagedAttention;

/** {@link GraphContract#ATTENTION}: takes the tensors off ONNX Runtime's context and hands them to the kernel. */
final class AttentionOperator implements OperatorType {
    private static final Input[] INPUTS = {
        Input.required(ElementType.FLOAT), // query
        Input.optional(ElementType.FLOAT), // key
        Input.optional(ElementType.FLOAT), // value
        Input.requiredOfAnyType(), // key_cache
        Input.requiredOfAnyType(), // value_cache
        Input.required(ElementType.INT32), // cumulative_sequence_length
        Input.required(ElementType.INT32), // past_seqlens
        Input.required(ElementType.INT32), // block_table
        Input.optional(ElementType.FLOAT), // cos_cache
        Input.optional(ElementType.FLOAT), // sin_cache
    };

    private final AttentionScratch scratch;

    /** The operator of one session, whose nodes share this working memory since they run one after the other. */
    AttentionOperator(AttentionScratch scratch) {
        this.scratch = scratch;
    }

    @Override
    public String name() {
        return GraphContract.ATTENTION;
    }

    @Override
    public Input[] inputs() {
        return INPUTS;
    }

    @Override
    public Kernel kernel(OperatorAttributes attributes) {
        long window = attributes.integer(GraphContract.ATTR_WINDOW, -1);
        AttentionConfig config = new AttentionConfig(
                Math.toIntExact(attributes.integer(GraphContract.ATTR_HEADS, 0)),
                Math.toIntExact(attributes.integer(GraphContract.ATTR_KV_HEADS, 0)),
                attributes.number(GraphContract.ATTR_SCALE, 0),
                attributes.number(GraphContract.ATTR_SOFTCAP, 0),
                window < 0 ? Integer.MAX_VALUE : Math.toIntExact(window),
                attributes.integer(GraphContract.ATTR_DO_ROTARY, 0) != 0,
                attributes.integer(GraphContract.ATTR_INTERLEAVED, 0) != 0);
        PagedAttention kernel = new PagedAttention(config, scratch);
        return context -> kernel.run(call(config, context), context);
    }

    private static AttentionCall call(AttentionConfig config, OperatorContext context) throws Throwable {
        Tensor query = context.input(0).require(2, "query");
        Tensor key = context.input(1);
        Tensor value = context.input(2);
        Tensor keyCache = context.input(3).require(4, "key_cache");
        Tensor valueCache = context.input(4).require(4, "value_cache");
        Tensor starts = context.input(5).require(1, "cumulative_sequence_length");
        Tensor past = context.input(6).require(1, "past_seqlens");
        Tensor table = context.input(7).require(2, "block_table");
        Tensor cos = context.input(8);
        Tensor sin = context.input(9);
        KvType kvType = kvType(keyCache.type());
        int headSize = kvType.headSize(Math.toIntExact(keyCache.d3()));
        int queryWidth = Math.multiplyExact(config.heads(), headSize);
        int keyWidth = Math.multiplyExact(config.kvHeads(), headSize);
        if (keyCache.d2() != config.kvHeads()
                || valueCache.d0() != keyCache.d0()
                || valueCache.d1() != keyCache.d1()
                || valueCache.d2() != keyCache.d2()
                || valueCache.d3() != keyCache.d3()
                || valueCache.type() != keyCache.type()) {
            throw new IllegalArgumentException(
                    "key_cache and value_cache differ, or do not have %d heads".formatted(config.kvHeads()));
        }
        if (past.d0() + 1 != starts.d0() || table.d0() != past.d0()) {
            throw new IllegalArgumentException(
                    "%d sequence starts, %d past lengths and %d rows of blocks do not belong together"
                            .formatted(starts.d0(), past.d0(), table.d0()));
        }
        boolean packed = key.absent() && value.absent();
        if (packed) {
            expectWidth("packed query", query, queryWidth + 2 * keyWidth);
        } else {
            expectWidth("query", query, queryWidth);
            expectWidth("key", key.require(2, "key"), keyWidth);
            expectWidth("value", value.require(2, "value"), keyWidth);
            if (key.d0() != query.d0() || value.d0() != query.d0()) {
                throw new IllegalArgumentException("query, key and value differ in their number of tokens");
            }
        }
        if (config.rotary()) {
            cos.require(2, "cos_cache");
            sin.require(2, "sin_cache");
            if (cos.d0() != sin.d0() || cos.d1() != sin.d1()) {
                throw new IllegalArgumentException("cos_cache and sin_cache differ in shape");
            }
        }
        int tokens = Math.toIntExact(query.d0());
        return new AttentionCall(
                query.address(),
                packed ? query.address() + 4L * queryWidth : key.address(),
                packed ? query.address() + 4L * (queryWidth + keyWidth) : value.address(),
                Math.toIntExact(query.d1()),
                Math.toIntExact(packed ? query.d1() : keyWidth),
                Math.toIntExact(packed ? query.d1() : keyWidth),
                tokens,
                headSize,
                keyCache.address(),
                valueCache.address(),
                kvType,
                Math.toIntExact(keyCache.d0()),
                Math.toIntExact(keyCache.d1()),
                starts.address(),
                past.address(),
                table.address(),
                Math.toIntExact(past.d0()),
                Math.toIntExact(table.d1()),
                cos.address(),
                sin.address(),
                Math.toIntExact(cos.d0()),
                Math.toIntExact(cos.d1()),
                context.output(tokens, queryWidth));
    }

    private static void expectWidth(String name, Tensor tensor, int width) {
        if (tensor.d1() != width) {
            throw new IllegalArgumentException("%s is %d wide, not %d".formatted(name, tensor.d1(), width));
        }
    }

    private static KvType kvType(int type) {
        if (type == ElementType.FLOAT.code()) {
            return KvType.FP32;
        }
        if (type == ElementType.FLOAT16.code()) {
            return KvType.FP16;
        }
        if (type == ElementType.INT8.code()) {
            return KvType.INT8;
        }
        throw new IllegalArgumentException("the cache is neither float, float16 nor int8");
    }
}
