/** Encoders: runs them over batches of whole inputs, and pools what comes out; knows nothing of requests. */
@NullMarked
package dev.penstock.embed;

import org.jspecify.annotations.NullMarked;
