package dev.penstock.onnx;

import java.util.List;

/**
 * An input or output as a graph declares it.
 *
 * @param name its name
 * @param type type of its numbers
 * @param shape its dimensions; -1 where one is open
 */
public record TensorSpec(String name, ElementType type, List<Long> shape) {
    /** Copies the shape. */
    public TensorSpec {
        shape = List.copyOf(shape);
    }
}
