package dev.penstock.prompt.constraint;

/**
 * Characters: some of ASCII, a bit each, and all or none of the others.
 *
 * @param low the characters below 64
 * @param high those from 64 to 127
 * @param foreign whether those beyond ASCII are in it
 */
record PlainSet(long low, long high, boolean foreign) {
    private static final int ASCII = 128;

    /** The characters that lead from one expression straight to another, and that a third can't begin with. */
    static PlainSet between(Regex from, Regex to, Regex not) {
        long low = 0;
        long high = 0;
        for (int c = 0; c < ASCII; c++) {
            if (from.derivative(c) == to && not.derivative(c).isEmpty()) {
                low |= c < Long.SIZE ? 1L << c : 0;
                high |= c < Long.SIZE ? 0 : 1L << c;
            }
        }
        return new PlainSet(low, high, isForeignBetween(from, to, not));
    }

    private static boolean isForeignBetween(Regex from, Regex to, Regex not) {
        Regex before = Regex.EMPTY;
        for (int first = 0xC2; first < 0xF5; first++) {
            Regex rest = from.derivative(first);
            if (rest.isEmpty() || !not.derivative(first).isEmpty()) {
                return false;
            }
            boolean usual = Utf8.firstContinuation(first) == 0x80 && Utf8.lastContinuation(first) == 0xBF;
            if (!(usual && rest == before) && !leads(rest, to, first, first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3)) {
                return false;
            }
            before = usual ? rest : Regex.EMPTY;
        }
        return true;
    }

    /** Whether the rest of a character, of so many bytes, always leads from one expression to another. */
    private static boolean leads(Regex from, Regex to, int before, int bytes) {
        if (bytes == 0) {
            return from == to;
        }
        if (from.isNullable()) {
            return false;
        }
        Regex known = Regex.EMPTY;
        for (int b = Utf8.firstContinuation(before); b <= Utf8.lastContinuation(before); b++) {
            Regex rest = from.derivative(b);
            if (rest.isEmpty() || (rest != known && !leads(rest, to, b, bytes - 1))) {
                return false;
            }
            known = rest;
        }
        return true;
    }

    /** Whether an ASCII character is in it. */
    boolean has(int c) {
        return ((c < Long.SIZE ? low : high) >>> c & 1) != 0;
    }

    /** Whether a byte may belong to one of its characters. */
    boolean hasByte(int b) {
        return b < ASCII ? has(b) : foreign;
    }

    boolean isEmpty() {
        return low == 0 && high == 0 && !foreign;
    }
}
