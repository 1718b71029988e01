package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.penstock.onnx.GraphContract;
import java.util.List;

/**
 * The positions of a step's tokens, from where each sequence starts in the step and how long it was before: a token's
 * sequence is the last one that starts at or before it.
 */
final class Positions {
    private Positions() {}

    /** Adds nodes that make them, as int64 [1, T]; returns the name of the last one. */
    static String add(Nodes nodes) {
        String prefix = Nodes.PREFIX + "positions.";
        String axis0 = nodes.integers(0L);
        String axis1 = nodes.integers(1L);
        String count = nodes.add("Size", prefix + "count", List.of(GraphContract.INPUT_IDS));
        String tokens = nodes.add("Range", prefix + "tokens", List.of(nodes.integer(0), count, nodes.integer(1)));
        String ends = nodes.cast(GraphContract.SEQUENCE_STARTS, DataType.INT64, prefix + "starts_and_end");
        String starts = nodes.add("Slice", prefix + "starts", List.of(ends, axis0, nodes.integers(-1L)));
        String past = nodes.cast(GraphContract.PAST_LENGTHS, DataType.INT64, prefix + "past");
        String begun = nodes.add(
                "GreaterOrEqual",
                prefix + "begun", // [T, S]
                List.of(
                        nodes.add("Unsqueeze", prefix + "tokens.column", List.of(tokens, axis1)),
                        nodes.add("Unsqueeze", prefix + "starts.row", List.of(starts, axis0))));
        String sequences = nodes.add(
                "ReduceSum",
                prefix + "sequences",
                List.of(nodes.cast(begun, DataType.INT64, prefix + "begun.numbers"), axis1),
                Nodes.attribute("keepdims", 0));
        String sequence = nodes.add("Sub", prefix + "sequence", List.of(sequences, nodes.integer(1)));
        String shift = nodes.add("Sub", prefix + "shift", List.of(past, starts));
        String shifts = nodes.add("Gather", prefix + "shifts", List.of(shift, sequence), Nodes.attribute("axis", 0));
        String positions = nodes.add("Add", prefix + "rows", List.of(tokens, shifts));
        return nodes.add("Unsqueeze", Nodes.PREFIX + "position_ids", List.of(positions, axis0));
    }
}
