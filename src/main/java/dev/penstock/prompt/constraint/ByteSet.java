package dev.penstock.prompt.constraint;

/** A set of bytes, a bit each. */
record ByteSet(long w0, long w1, long w2, long w3) {
    static final ByteSet NONE = new ByteSet(0, 0, 0, 0);
    static final ByteSet ALL = new ByteSet(-1, -1, -1, -1);

    /** The bytes from {@code lo} to {@code hi}, both among them. */
    static ByteSet range(int lo, int hi) {
        long[] words = new long[4];
        for (int b = lo; b <= hi; b++) {
            words[b >> 6] |= 1L << b;
        }
        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    static ByteSet of(int b) {
        return range(b, b);
    }

    boolean contains(int b) {
        long word =
                switch (b >> 6) {
                    case 0 -> w0;
                    case 1 -> w1;
                    case 2 -> w2;
                    default -> w3;
                };
        return (word >>> b & 1) != 0;
    }

    ByteSet or(ByteSet other) {
        return new ByteSet(w0 | other.w0, w1 | other.w1, w2 | other.w2, w3 | other.w3);
    }

    boolean isEmpty() {
        return (w0 | w1 | w2 | w3) == 0;
    }
}
