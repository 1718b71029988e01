/** Paged attention on the CPU by the Vector API: pure arithmetic over addresses, knowing nothing of ONNX Runtime. */
@NullMarked
package dev.penstock.onnx.attention;

import org.jspecify.annotations.NullMarked;
