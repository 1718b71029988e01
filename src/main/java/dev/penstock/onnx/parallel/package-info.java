/** How kernels share their work among threads, whoever's the threads are. */
@NullMarked
package dev.penstock.onnx.parallel;

import org.jspecify.annotations.NullMarked;
