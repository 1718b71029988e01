package dev.penstock.weights;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Brings the tensors of all families to the names that {@link ReferenceModel} uses, and takes packed ones apart. */
final class ReferenceTensors {
    private ReferenceTensors() {}

    /** What a part of a name becomes, in this order. */
    private static Map<String, String> names(String family) {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("^(model\\.)?language_model\\.", "");
        names.put("\\.weight$", "");
        switch (family) {
            case "chatglm" -> {
                names.put("^transformer\\.encoder\\.", "");
                names.put("^transformer\\.embedding\\.word_embeddings$", "embedding");
                names.put("^transformer\\.output_layer$", "head");
                names.put("^final_layernorm$", "norm");
                names.put("self_attention\\.query_key_value", "packed_qkv");
                names.put("self_attention\\.dense$", "output");
                names.put("mlp\\.dense_h_to_4h$", "packed_gate_up");
                names.put("mlp\\.dense_4h_to_h$", "down");
            }
            case "grok-1" -> {
                names.put("\\.scale$", "");
                names.put("^model\\.embed_tokens$", "embedding");
                names.put("^model\\.", "");
                names.put("\\.pre_attn_norm$", ".before_attention");
                names.put("\\.post_attn_norm$", ".after_attention");
                names.put("\\.pre_moe_norm$", ".before_mlp");
                names.put("\\.post_moe_norm$", ".after_mlp");
                names.put("attn\\.([qkvo]_proj)$", "self_attn.$1");
                names.put("moe_block\\.gate$", "router");
                names.put("moe_block\\.", "");
                names.put("^transformer\\.decoder_layer\\.", "layers.");
                names.put("^transformer\\.in_out_embed$", "embedding");
                names.put("^transformer\\.rms_norm$", "norm");
                names.put("^lm_head$", "head");
                names.put("\\.rms_norm$", ".before_attention");
                names.put("\\.rms_norm_1$", ".after_attention");
                names.put("\\.rms_norm_2$", ".before_mlp");
                names.put("\\.rms_norm_3$", ".after_mlp");
                names.put("multi_head_attention\\.linear$", "output");
                names.put("multi_head_attention\\.", "");
                names.put("\\.moe\\.", ".experts.");
                names.put("\\.linear$", ".gate");
                names.put("\\.linear_v$", ".up");
                names.put("\\.linear_1$", ".down");
            }
            default -> {
                names.put("^model\\.", "");
                names.put("^embed_tokens$", "embedding");
                names.put("^lm_head$", "head");
                names.put("block_sparse_moe\\.gate$", "router");
                names.put("block_sparse_moe\\.", "");
                names.put("\\.w1$", ".gate");
                names.put("\\.w3$", ".up");
                names.put("\\.w2$", ".down");
            }
        }
        names.put("\\.input_layernorm$", ".before_attention");
        boolean afterAttention = family.equals("gemma2") || family.startsWith("gemma3");
        names.put("\\.post_attention_layernorm$", afterAttention ? ".after_attention" : ".before_mlp");
        names.put("\\.pre_feedforward_layernorm$", ".before_mlp");
        names.put("\\.post_feedforward_layernorm$", ".after_mlp");
        names.put("\\.post_self_attn_layernorm$", ".after_attention");
        names.put("\\.post_mlp_layernorm$", ".after_mlp");
        names.put("self_attn\\.q_norm", "query_norm");
        names.put("self_attn\\.k_norm", "key_norm");
        names.put("self_attn\\.qkv_proj", "packed_qkv");
        names.put("self_attn\\.q_proj", "query");
        names.put("self_attn\\.k_proj", "key");
        names.put("self_attn\\.v_proj", "value");
        names.put("self_attn\\.o_proj", "output");
        names.put("mlp\\.gate_up_proj", "packed_gate_up");
        names.put("mlp\\.(gate|up|down)_proj", "$1");
        return names;
    }

    /** All tensors, under names such as {@code layers.0.query}, {@code layers.0.query.bias} and {@code head}. */
    static Map<String, double[]> renamed(
            Map<String, double[]> tensors, String family, int queries, int keys, int hidden) {
        Map<String, String> names = names(family);
        Map<String, double[]> result = new HashMap<>();
        tensors.forEach((original, values) -> {
            String name = original;
            for (Map.Entry<String, String> e : names.entrySet()) {
                name = name.replaceAll(e.getKey(), e.getValue());
            }
            if (name.contains("packed_qkv")) {
                int columns = name.endsWith(".bias") ? 1 : hidden;
                int second = queries * columns;
                int third = second + keys * columns;
                result.put(name.replace("packed_qkv", "query"), Arrays.copyOfRange(values, 0, second));
                result.put(name.replace("packed_qkv", "key"), Arrays.copyOfRange(values, second, third));
                result.put(name.replace("packed_qkv", "value"), Arrays.copyOfRange(values, third, values.length));
            } else if (name.contains("packed_gate_up")) {
                int half = values.length / 2;
                result.put(name.replace("packed_gate_up", "gate"), Arrays.copyOfRange(values, 0, half));
                result.put(name.replace("packed_gate_up", "up"), Arrays.copyOfRange(values, half, values.length));
            } else {
                result.put(name, values);
            }
        });
        return result;
    }
}
