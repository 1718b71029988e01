package dev.penstock.prompt.constraint;

import java.util.List;

/**
 * The stack below a rule, as the set of places that it may return to: stacks that differ only in how they came about are one. The
 * root has one edge, to itself, with nothing left.
 */
final class StackNode {
    private final List<Edge> edges;
    private final int minBytes;
    private final int id;

    /**
     * Where a rule returns to.
     *
     * @param item what is left of the rule that called
     * @param node the stack below that one
     */
    record Edge(Item item, StackNode node) {
        int minBytes() {
            return Math.min(Regex.INFINITE, item.minBytes() + node.minBytes);
        }
    }

    private StackNode(List<Edge> edges, int minBytes, int id) {
        this.edges = edges;
        this.minBytes = minBytes;
        this.id = id;
    }

    /** The stack at the beginning of a text: what returns there is whole. */
    static StackNode root() {
        return new StackNode(List.of(), 0, 0);
    }

    static StackNode of(List<Edge> edges, int id) {
        int least = edges.stream().mapToInt(Edge::minBytes).min().orElse(Regex.INFINITE);
        return new StackNode(List.copyOf(edges), least, id);
    }

    boolean isRoot() {
        return id == 0;
    }

    List<Edge> edges() {
        return edges;
    }

    /** Bytes of the shortest way to the end of the text. */
    int minBytes() {
        return minBytes;
    }

    int id() {
        return id;
    }
}
