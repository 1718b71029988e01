/** The port {@code Backend} and what stands behind it: replicas in this process, upstreams elsewhere. */
@NullMarked
package dev.penstock.backend;

import org.jspecify.annotations.NullMarked;
