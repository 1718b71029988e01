package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;

/** A graph is malformed, or can't be rewritten; the message says which node or constant, and why. */
public final class GraphImportException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Longest name that is repeated: whoever wrote the file chose it. */
    private static final int MAX_NAME = 200;

    /** With what is wrong. */
    GraphImportException(String message) {
        super(message);
    }

    /** With what it came from. */
    GraphImportException(String message, Throwable cause) {
        super(message, cause);
    }

    /** About one node. */
    static GraphImportException at(NodeProto node, String problem) {
        String domain = node.getDomain().isEmpty() ? "" : node.getDomain() + ".";
        return new GraphImportException(
                "node %s (%s): %s".formatted(quoted(name(node)), shown(domain + node.getOpType()), problem));
    }

    /** A name from a file, for a message. */
    static String quoted(String name) {
        return "'" + shown(name) + "'";
    }

    private static String shown(String name) {
        return name.length() > MAX_NAME ? name.substring(0, MAX_NAME) + "…" : name;
    }

    private static String name(NodeProto node) {
        return node.getName().isEmpty() && node.getOutputCount() > 0 ? node.getOutput(0) : node.getName();
    }
}
