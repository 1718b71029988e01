/** HTTP resources, wire records, SSE writing and errors; what a caller sees, and nothing of how a token is made. */
@NullMarked
package dev.penstock.api;

import org.jspecify.annotations.NullMarked;
