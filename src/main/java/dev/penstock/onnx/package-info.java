/** The binding to ONNX Runtime by java.lang.foreign, sessions, and the paged attention op; nothing of it leaks a pointer. */
@NullMarked
package dev.penstock.onnx;

import org.jspecify.annotations.NullMarked;
