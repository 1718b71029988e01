/**
 * Foretells how a model would run on this machine, for {@code penstock plan}: what fits, how fast it would be, and which
 * precision to choose. Every number is measured here or follows from one that is.
 */
@NullMarked
package dev.penstock.ops.plan;

import org.jspecify.annotations.NullMarked;
