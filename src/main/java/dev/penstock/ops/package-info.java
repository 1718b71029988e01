/** Command line, wiring, health and metrics: where the rooms are put together. */
@NullMarked
package dev.penstock.ops;

import org.jspecify.annotations.NullMarked;
