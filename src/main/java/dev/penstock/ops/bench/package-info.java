/**
 * Measures a model runner and a step loop on this machine, for {@code penstock bench}: what is run, how it is timed, and
 * the report. No HTTP: what a server adds is measured from outside, in {@code bench/}.
 */
@NullMarked
package dev.penstock.ops.bench;

import org.jspecify.annotations.NullMarked;
