package dev.penstock.prompt.constraint;

import java.util.BitSet;

/**
 * What an expression allows by itself; nobody may write to it.
 *
 * @param tokens those after which it goes on, or is just over
 * @param ends places of the trie, which others lie below, at which it may be over
 */
record LexMask(long[] tokens, BitSet ends) {}
