/**
 * Servers elsewhere that speak OpenAI's API, over Vert.x's HTTP client. Nothing that comes from them is trusted: sizes and times
 * are bounded, and what is passed on was read before.
 */
@NullMarked
package dev.penstock.backend.upstream;

import org.jspecify.annotations.NullMarked;
