/** Model folders, safetensors, graph building by family, quantisation and the store of built variants. */
@NullMarked
package dev.penstock.weights;

import org.jspecify.annotations.NullMarked;
