/**
 * What texts a completion may have: schemas, regular expressions and grammars compiled to one automaton over bytes with a stack,
 * and the masks of tokens that follow from it.
 */
@NullMarked
package dev.penstock.prompt.constraint;

import org.jspecify.annotations.NullMarked;
