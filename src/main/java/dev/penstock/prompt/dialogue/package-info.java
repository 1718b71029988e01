/** What a model's completion means: reasoning, text, calls of tools. */
@NullMarked
package dev.penstock.prompt.dialogue;

import org.jspecify.annotations.NullMarked;
