package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.AttributeProto;
import dev.penstock.onnx.GraphContract;
import java.util.ArrayList;
import java.util.List;

/** Writes attention as the paged operator has it, with what it takes to come to packed rows and back. */
final class PagedNodes {
    private static final List<Long> SWAP_HEADS_AND_TOKENS = List.of(0L, 2L, 1L, 3L);

    private PagedNodes() {}

    /** Adds the nodes; the last one makes the value that the old node made. */
    static void add(Nodes nodes, Attention attention, int layer) {
        String prefix = Nodes.PREFIX + "layers." + layer + ".";
        List<String> inputs = new ArrayList<>();
        List<String> names = List.of("query", "key", "value");
        for (int i = 0; i < names.size(); i++) {
            inputs.add(
                    i < attention.inputs().size()
                            ? rows(
                                    nodes,
                                    prefix + names.get(i),
                                    attention.inputs().get(i),
                                    attention,
                                    i)
                            : "");
        }
        inputs.addAll(List.of(
                GraphContract.keyCache(layer),
                GraphContract.valueCache(layer),
                GraphContract.SEQUENCE_STARTS,
                GraphContract.PAST_LENGTHS,
                GraphContract.BLOCK_TABLE));
        attention.rotary().ifPresent(r -> inputs.addAll(List.of(r.cos(), r.sin())));
        String paged = nodes.add(
                GraphContract.DOMAIN,
                GraphContract.ATTENTION,
                GraphContract.attentionNode(layer),
                inputs,
                attributes(attention));
        switch (attention.inputs().getFirst().layout()) {
            case TOKENS_FIRST -> nodes.add("Unsqueeze", attention.output(), List.of(paged, nodes.integers(0L)));
            case HEADS_FIRST -> {
                String apart = nodes.add(
                        "Reshape",
                        prefix + "heads",
                        List.of(paged, nodes.integers(1L, -1L, (long) attention.heads(), (long) attention.headSize())));
                nodes.add(
                        "Transpose",
                        attention.output(),
                        List.of(apart),
                        Nodes.attribute("perm", SWAP_HEADS_AND_TOKENS));
            }
        }
    }

    /** [T, width]. */
    private static String rows(Nodes nodes, String name, Heads heads, Attention attention, int place) {
        return switch (heads.layout()) {
            case TOKENS_FIRST -> nodes.add("Squeeze", name, List.of(heads.value(), nodes.integers(0L)));
            case HEADS_FIRST -> {
                int count = place == 0 ? attention.heads() : attention.kvHeads();
                String swapped = nodes.add(
                        "Transpose",
                        name + ".swapped",
                        List.of(heads.value()),
                        Nodes.attribute("perm", SWAP_HEADS_AND_TOKENS));
                yield nodes.add(
                        "Reshape", name, List.of(swapped, nodes.integers(-1L, (long) count * attention.headSize())));
            }
        };
    }

    private static AttributeProto[] attributes(Attention attention) {
        List<AttributeProto> attributes = new ArrayList<>();
        attributes.add(Nodes.attribute(GraphContract.ATTR_HEADS, attention.heads()));
        attributes.add(Nodes.attribute(GraphContract.ATTR_KV_HEADS, attention.kvHeads()));
        attributes.add(Nodes.attribute(GraphContract.ATTR_SCALE, attention.scale()));
        attributes.add(Nodes.attribute(GraphContract.ATTR_SOFTCAP, attention.softcap()));
        attributes.add(
                Nodes.attribute(GraphContract.ATTR_DO_ROTARY, attention.rotary().isPresent() ? 1 : 0));
        attributes.add(Nodes.attribute(
                GraphContract.ATTR_INTERLEAVED,
                attention.rotary().filter(Attention.Rotary::interleaved).isPresent() ? 1 : 0));
        attention.window().ifPresent(w -> attributes.add(Nodes.attribute(GraphContract.ATTR_WINDOW, w)));
        return attributes.toArray(AttributeProto[]::new);
    }
}
