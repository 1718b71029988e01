package dev.penstock.prompt.constraint;

import org.jspecify.annotations.Nullable;

/**
 * What an expression can read over and over: where it stands in a loop, and texts of the loop's characters lie below a place of the
 * trie, there is nothing to be read there.
 *
 * @param item what is repeated; null if the expression leads to itself by other means
 * @param state the expression itself, or what follows the repetition
 * @param characters those that are read in one step of the loop, and never leave it
 */
record Loop(@Nullable Regex item, Regex state, PlainSet characters) {
    /** Stands for most characters of a text: what does not lead back after it is not worth asking further. */
    static final int USUAL = 'e';

    /** The loop that an expression stands in; null if there is none worth the name. */
    static @Nullable Loop of(Regex regex) {
        Regex item = regex.repeated();
        if (regex.isEmpty() || (item == null && regex.derivative(USUAL) != regex)) {
            return null;
        }
        Loop loop = item == null
                ? new Loop(null, regex, PlainSet.between(regex, regex, Regex.EMPTY))
                : new Loop(item, regex.afterFirst(), PlainSet.between(item, Regex.EPSILON, regex.afterFirst()));
        return loop.characters.isEmpty() ? null : loop;
    }

    /** How many characters of the loop may be read from an expression on, whatever they are. */
    int room(Regex at) {
        if (item == null) {
            return at == state ? Regex.UNBOUNDED : 0;
        }
        return at.repeated() == item && at.afterFirst() == state ? at.repetitions() : 0;
    }

    /** Whether the loop may be left anywhere. */
    boolean mayEnd() {
        return state.isNullable();
    }
}
