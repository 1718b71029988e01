/** The step loop of a replica: scheduler, blocks of the KV cache, model runner and sampler; no HTTP, no JSON. */
@NullMarked
package dev.penstock.engine;

import org.jspecify.annotations.NullMarked;
