/**
 * Matrix products over weights of 4 and 8 bits: the packed layout, and kernels for x86-64 with AVX-512 VNNI that a small
 * assembler writes at run time, since the Vector API has no dot product of bytes. Nothing here knows ONNX Runtime.
 */
@NullMarked
package dev.penstock.onnx.gemm;

import org.jspecify.annotations.NullMarked;
