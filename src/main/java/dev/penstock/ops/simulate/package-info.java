/**
 * Proves routing before it meets traffic, for {@code penstock simulate}: a discrete-event simulator of servers that batch
 * continuously drives {@link dev.penstock.routing.RouterCore} by a virtual clock, beside simpler policies. Its step times
 * have another form than the router's model of them, and noise.
 */
@NullMarked
package dev.penstock.ops.simulate;

import org.jspecify.annotations.NullMarked;
