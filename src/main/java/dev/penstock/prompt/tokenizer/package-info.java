/**
 * Tokenizers as Hugging Face's {@code tokenizer.json} and SentencePiece's {@code tokenizer.model} describe them. The
 * splitting and merging is done by Hugging Face's own native library; what a single token stands for is worked out here.
 */
@NullMarked
package dev.penstock.prompt.tokenizer;

import org.jspecify.annotations.NullMarked;
