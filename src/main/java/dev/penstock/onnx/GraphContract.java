package dev.penstock.onnx;

import dev.penstock.model.KvType;
import java.util.Set;

/**
 * What a decoder graph and its runner agree on: the names, types and shapes of inputs and outputs, and the attention
 * node. T tokens of S sequences are packed into one step, R of them want logits.
 *
 * <p>Inputs of the graph:
 * <ul>
 *   <li>{@link #INPUT_IDS} int64 [T]
 *   <li>{@link #LOGIT_ROWS} int64 [R], indices into T: only these rows reach the head
 *   <li>{@link #SEQUENCE_STARTS} int32 [S + 1], first token of each sequence, then T
 *   <li>{@link #PAST_LENGTHS} int32 [S], tokens that the cache holds before this step
 *   <li>{@link #BLOCK_TABLE} int32 [S, M], block ids of each sequence
 *   <li>for each layer N from 0: {@link #keyCache} and {@link #valueCache}, float16 or float
 *       [blocks, blockSize, kvHeads, headSize], or int8 [blocks, blockSize, kvHeads, headSize + 4], the last four bytes
 *       being room for a scale; they are written in place and are no outputs
 * </ul>
 * Output of the graph: {@link #LOGITS} float [R, vocabSize]; or, of a graph without a head, {@link #HIDDEN} float
 * [R, hiddenSize], the rows that a head would be given.
 *
 * <p>The attention node of layer N is of type {@link #ATTENTION} in domain {@link #DOMAIN} (opset
 * {@link #OPSET_VERSION}), with the signature of com.microsoft.PagedAttention. Inputs, by position, an absent one being
 * the empty name:
 * <ol start="0">
 *   <li>query, float [T, heads * headSize]; or, with key and value absent, the packed rows
 *       [T, (heads + 2 * kvHeads) * headSize]: all query heads, then all key heads, then all value heads
 *   <li>key, float [T, kvHeads * headSize], or absent
 *   <li>value, float [T, kvHeads * headSize], or absent
 *   <li>key_cache: the graph input {@link #keyCache}
 *   <li>value_cache: the graph input {@link #valueCache}
 *   <li>cumulative_sequence_length: the graph input {@link #SEQUENCE_STARTS}
 *   <li>past_seqlens: the graph input {@link #PAST_LENGTHS}
 *   <li>block_table: the graph input {@link #BLOCK_TABLE}
 *   <li>cos_cache, float [context, rotary / 2]; absent if do_rotary is 0; rotary at most headSize, and even
 *   <li>sin_cache, likewise
 * </ol>
 * Output 0: float [T, heads * headSize]. The node's name appears in error messages: {@link #attentionNode}.
 *
 * <p>Attributes: {@link #ATTR_HEADS} and {@link #ATTR_KV_HEADS} (int, required), {@link #ATTR_SCALE} (float, 0 or absent:
 * 1 / sqrt(headSize)), {@link #ATTR_SOFTCAP} (float, 0 or absent: none), {@link #ATTR_WINDOW} (int, tokens that a query
 * sees, itself included; -1 or absent: all), {@link #ATTR_DO_ROTARY} and {@link #ATTR_INTERLEAVED} (int, 0 or 1, absent: 0).
 *
 * <p>On processors with AVX-512 VNNI quantised matrices are nodes of type {@link #PACKED_MATMUL}: input float [T, K] and
 * weights uint8 [bytes] in {@link dev.penstock.onnx.gemm.PackedLayout} of attributes {@link #ATTR_OUTPUTS},
 * {@link #ATTR_INPUTS} and {@link #ATTR_BITS}; output float [T, N]. {@link #PACKED_GATED_MATMUL} has the weights of two such
 * matrices, of a gate and of what it is multiplied with, a panel of the one before its partner of the other, and gives
 * activation(gate) * up, float [T, N]; {@link #ATTR_ACTIVATION} tells which. {@link #PACKED_GATHER} has row numbers int64 [T] in place
 * of the input, the same weights and attributes, and gives float [T, K].
 *
 * <p>A layer of experts is a node of type {@link #EXPERTS}: x float [T, K], router logits float [T, E], then the gates and
 * ups [E * N, K] and downs [E * K, N] of all experts, and for codes as com.microsoft.MatMulNBits has them their scales, three
 * more inputs; or of type {@link #PACKED_EXPERTS}: the same with packed weights. Attributes: {@link #ATTR_EXPERTS},
 * {@link #ATTR_CHOSEN}, {@link #ATTR_RENORMALISED}, {@link #ATTR_GELU}, {@link #ATTR_INPUTS}, {@link #ATTR_OUTPUTS} and
 * {@link #ATTR_BITS}, 32 for floats; output float [T, K]. Weights of experts that no token chose are not read.
 *
 * <p>A graph for CUDA has all numbers but the logits in 16 bits, experts as com.microsoft.MoE, and its attention nodes are
 * com.microsoft.PagedAttention itself. Their input 16 is {@link #ATTENTION_BOUNDS}, int32 [2] in the host's memory: at least
 * the most new tokens of a sequence, and the most tokens of one with its past. It spares each node the wait for the device
 * to tell it.
 *
 * <p>Since the type of a graph's input is fixed, a variant's folder holds one small graph file for each type of cache,
 * {@link #graphFile}, all over the same external data. That lies beside the graph file, or where the file's metadata say
 * under {@link #DATA_FOLDER}.
 */
public final class GraphContract {
    /** Domain of the attention op. */
    public static final String DOMAIN = "dev.penstock";
    /** Version of the domain, for the model's opset imports. */
    public static final int OPSET_VERSION = 1;
    /** Type of the attention node. */
    public static final String ATTENTION = "PagedAttention";

    /** Key of the graph's metadata: the absolute folder that locations of its external data are relative to. */
    public static final String DATA_FOLDER = "penstock.data_folder";

    /** What the types of all nodes over packed weights begin with. */
    static final String PACKED_PREFIX = "Packed";
    /** Type of the node that multiplies by packed weights. */
    public static final String PACKED_MATMUL = "PackedMatMul";
    /** Type of the node that multiplies by a pair of packed matrices and joins the products as gated MLPs do. */
    public static final String PACKED_GATED_MATMUL = "PackedGatedMatMul";
    /** Type of the node that reads rows of packed weights. */
    public static final String PACKED_GATHER = "PackedGather";
    /** Type of the node that computes a layer of experts. */
    public static final String EXPERTS = "Experts";
    /** Type of the node that computes a layer of experts with packed weights. */
    public static final String PACKED_EXPERTS = "PackedExperts";
    /** Attribute, int: E, experts of a layer. */
    public static final String ATTR_EXPERTS = "experts";
    /** Attribute, int: experts that a token takes. */
    public static final String ATTR_CHOSEN = "k";
    /** Attribute, int: 1 if the weights of a token's experts are scaled to add up to 1. */
    public static final String ATTR_RENORMALISED = "normalize_routing_weights";
    /** Attribute, int: 1 if the activation is GELU by its tanh approximation, 0 if it is SiLU. */
    public static final String ATTR_GELU = "gelu";
    /** Attribute, int: N, rows of packed weights. */
    public static final String ATTR_OUTPUTS = "N";
    /** Attribute, int: K, columns of packed weights. */
    public static final String ATTR_INPUTS = "K";
    /** Attribute, int: 4 or 8. */
    public static final String ATTR_BITS = "bits";

    /** Attribute, int: ordinal of {@link dev.penstock.onnx.gemm.Activation}. */
    public static final String ATTR_ACTIVATION = "activation";

    /** Input, int64 [T]. */
    public static final String INPUT_IDS = "input_ids";
    /** Input, int64 [R]. */
    public static final String LOGIT_ROWS = "logit_rows";
    /** Input, int32 [S + 1]. */
    public static final String SEQUENCE_STARTS = "cumulative_sequence_length";
    /** Input, int32 [S]. */
    public static final String PAST_LENGTHS = "past_seqlens";
    /** Input, int32 [S, M]. */
    public static final String BLOCK_TABLE = "block_table";
    /** Input of graphs for CUDA, int32 [2]. */
    public static final String ATTENTION_BOUNDS = "attention_metadata";
    /** Output, float [R, vocabSize]. */
    public static final String LOGITS = "logits";
    /** Output of a graph without a head, float [R, hiddenSize]. */
    public static final String HIDDEN = "hidden";

    /** Attribute, int: query heads. */
    public static final String ATTR_HEADS = "num_heads";
    /** Attribute, int: key and value heads. */
    public static final String ATTR_KV_HEADS = "kv_num_heads";
    /** Attribute, float: factor of the dot products. */
    public static final String ATTR_SCALE = "scale";
    /** Attribute, float c: a score s becomes c * tanh(s / c). */
    public static final String ATTR_SOFTCAP = "softcap";
    /** Attribute, int: tokens that a query sees, itself included. */
    public static final String ATTR_WINDOW = "local_window_size";
    /** Attribute, int: 1 if queries and keys are rotated by cos_cache and sin_cache. */
    public static final String ATTR_DO_ROTARY = "do_rotary";
    /** Attribute, int: 1 if neighbouring numbers form a rotated pair, 0 if numbers half the rotary width apart do. */
    public static final String ATTR_INTERLEAVED = "rotary_interleaved";

    private static final Set<String> INPUTS =
            Set.of(INPUT_IDS, LOGIT_ROWS, SEQUENCE_STARTS, PAST_LENGTHS, BLOCK_TABLE, ATTENTION_BOUNDS);

    private GraphContract() {}

    /** Name of the graph input that is the key cache of a layer. */
    public static String keyCache(int layer) {
        return "key_cache." + layer;
    }

    /** Name of the graph input that is the value cache of a layer. */
    public static String valueCache(int layer) {
        return "value_cache." + layer;
    }

    /** Whether a value of that name would be taken for one of the graph's inputs. */
    public static boolean isInput(String name) {
        return INPUTS.contains(name) || name.matches("(key|value)_cache\\.[0-9]+");
    }

    /** Name of a layer's attention node. */
    public static String attentionNode(int layer) {
        return "layers." + layer + ".attention";
    }

    /** Name of the graph file whose cache inputs have this type; the same external data serves all. */
    public static String graphFile(KvType type) {
        return switch (type) {
            case FP16 -> "model.onnx";
            case FP32 -> "model.kv-fp32.onnx";
            case INT8 -> "model.kv-int8.onnx";
        };
    }
}
