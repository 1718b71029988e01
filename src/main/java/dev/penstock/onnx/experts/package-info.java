/**
 * Gated MLPs of which each token takes a few: routing, and products with the chosen ones' weights only. Nothing here
 * knows ONNX Runtime.
 */
@NullMarked
package dev.penstock.onnx.experts;

import org.jspecify.annotations.NullMarked;
