package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Optional;

/** Tells what a mask that a graph computes shows to its queries. */
interface Masks {
    /** What is added to a score that does not count is at most this. */
    double HIDDEN = -1e4;

    /**
     * The window of a mask.
     *
     * @param node that takes it, for messages
     * @param mask name of the value: added to scores, or true where a key is seen
     * @return tokens that a query sees, itself included; empty where it sees all before it
     * @throws GraphImportException it is not causal, or adds other numbers than zero to what is seen
     */
    Optional<Integer> window(NodeProto node, String mask);
}
