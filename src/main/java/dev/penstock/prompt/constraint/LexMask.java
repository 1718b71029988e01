package dev.penstock.prompt.constraint;

/**
 * What an expression allows by itself; nobody may write to it.
 *
 * @param tokens those after which it goes on, or is just over
 * @param ends places of the trie, which others lie below, at which it may be over: a bit each; empty for none
 */
record LexMask(long[] tokens, long[] ends) {
    int endCount() {
        int count = 0;
        for (long word : ends) {
            count += Long.bitCount(word);
        }
        return count;
    }
}
