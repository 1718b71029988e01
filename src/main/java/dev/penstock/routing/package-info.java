/** Which backend takes a request; a pure decision from state and a clock. */
@NullMarked
package dev.penstock.routing;

import org.jspecify.annotations.NullMarked;
