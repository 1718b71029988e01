package dev.penstock.weights;

import java.util.List;
import java.util.stream.Stream;

/**
 * What a conversion of Grok-1's weights to Hugging Face's format calls its tensors.
 *
 * @param embedding the embedding table
 * @param finalNorm the norm before the head
 * @param layers what the names of a layer begin with, before its number
 * @param norms those before and after attention, and before and after the experts
 * @param attention query, key, value and output
 * @param experts what the names of an expert begin with, before its number
 * @param router the router
 */
record GrokNames(
        String embedding,
        String finalNorm,
        String layers,
        List<String> norms,
        List<String> attention,
        String experts,
        String router) {
    /** Those that keep the names of the released JAX model. */
    static final GrokNames OF_JAX = new GrokNames(
            "transformer.in_out_embed.weight",
            "transformer.rms_norm.weight",
            "transformer.decoder_layer.",
            List.of("rms_norm.weight", "rms_norm_1.weight", "rms_norm_2.weight", "rms_norm_3.weight"),
            Stream.of("query", "key", "value", "linear")
                    .map(n -> "multi_head_attention." + n + ".weight")
                    .toList(),
            "moe.",
            "router.weight");

    /** Those that are named as other models are. */
    static final GrokNames OF_MODEL = new GrokNames(
            "model.embed_tokens.weight",
            "model.norm.scale",
            "model.layers.",
            List.of("pre_attn_norm.scale", "post_attn_norm.scale", "pre_moe_norm.scale", "post_moe_norm.scale"),
            Stream.of("q_proj", "k_proj", "v_proj", "o_proj")
                    .map(n -> "attn." + n + ".weight")
                    .toList(),
            "moe_block.experts.",
            "moe_block.gate.weight");
}
