/** Chat template, tokenizer and the way back from tokens to text; no HTTP and no engine state. */
@NullMarked
package dev.penstock.prompt;

import org.jspecify.annotations.NullMarked;
