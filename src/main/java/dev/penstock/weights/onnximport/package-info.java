/**
 * Graphs that others exported, rewritten to {@link dev.penstock.onnx.GraphContract}: reading them without their weights,
 * finding their attention, packing their tokens. Nothing in a file is trusted. Folders and what stands beside a graph are
 * the business of the package above.
 */
@NullMarked
package dev.penstock.weights.onnximport;

import org.jspecify.annotations.NullMarked;
