/**
 * Measures what a precision costs, for {@code penstock quality}: perplexity and divergence from full precision over a text,
 * with size and speed beside them.
 */
@NullMarked
package dev.penstock.ops.quality;

import org.jspecify.annotations.NullMarked;
