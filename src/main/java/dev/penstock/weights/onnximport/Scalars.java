package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Numbers that a graph computes from constants and the width of heads, as exporters leave them where scores are scaled.
 *
 * @param graph where they are
 * @param headSize what the last dimension of queries and keys is
 */
record Scalars(Graph graph, int headSize) {
    /** Longer than any formula of a scale. */
    private static final int MAX_DEPTH = 16;

    /** A value times a number. */
    record Product(String value, double factor) {}

    /** A Mul or Div whose one factor is a number; empty for any other node. */
    Optional<Product> product(NodeProto node) {
        boolean divided = node.getOpType().equals("Div");
        if ((!divided && !node.getOpType().equals("Mul")) || node.getInputCount() != 2) {
            return Optional.empty();
        }
        OptionalDouble second = number(node.getInput(1));
        if (second.isPresent()) {
            double factor = divided ? 1 / second.getAsDouble() : second.getAsDouble();
            return Optional.of(new Product(node.getInput(0), factor));
        }
        OptionalDouble first = divided ? OptionalDouble.empty() : number(node.getInput(0));
        return first.isPresent() ? Optional.of(new Product(node.getInput(1), first.getAsDouble())) : Optional.empty();
    }

    /** The number that a value always is. */
    OptionalDouble number(String value) {
        return number(value, 0);
    }

    private OptionalDouble number(String value, int depth) {
        OptionalDouble constant = Tensors.number(graph.constants().get(value));
        Optional<NodeProto> producer = graph.producer(value).filter(n -> Operators.isStandard(n.getDomain()));
        if (constant.isPresent() || producer.isEmpty() || depth > MAX_DEPTH) {
            return constant;
        }
        NodeProto node = producer.get();
        return switch (node.getOpType()) {
            case "Cast", "Identity", "Squeeze", "Unsqueeze" -> number(node.getInput(0), depth + 1);
            case "Sqrt" -> map(number(node.getInput(0), depth + 1), Math::sqrt);
            case "Reciprocal" -> map(number(node.getInput(0), depth + 1), x -> 1 / x);
            case "Mul", "Div" -> {
                OptionalDouble a = number(node.getInput(0), depth + 1);
                OptionalDouble b = number(node.getInput(1), depth + 1);
                if (a.isEmpty() || b.isEmpty()) {
                    yield OptionalDouble.empty();
                }
                yield OptionalDouble.of(
                        node.getOpType().equals("Mul")
                                ? a.getAsDouble() * b.getAsDouble()
                                : a.getAsDouble() / b.getAsDouble());
            }
            case "Slice", "Gather" -> lastDimension(node);
            default -> OptionalDouble.empty();
        };
    }

    /** The last entry of a shape, which is asked of queries and keys alone where scores are scaled. */
    private OptionalDouble lastDimension(NodeProto node) {
        boolean last = graph.producer(node.getInput(0), "Shape").isPresent()
                && Tensors.oneInteger(graph.constants().get(Graph.input(node, 1)))
                        .filter(i -> i == -1 || i == 3)
                        .isPresent();
        return last ? OptionalDouble.of(headSize) : OptionalDouble.empty();
    }

    private static OptionalDouble map(OptionalDouble x, java.util.function.DoubleUnaryOperator function) {
        return x.isPresent() ? OptionalDouble.of(function.applyAsDouble(x.getAsDouble())) : x;
    }
}
