package dev.penstock.prompt;

import java.util.function.IntConsumer;

/**
 * Turns UTF-8 into code points as the bytes arrive. Each invalid byte, or maximal beginning of a character that can't
 * go on, becomes one U+FFFD at the moment it is known to be invalid (Unicode 16, section 3.9, "U+FFFD Substitution of
 * Maximal Subparts"; the same automaton as in the WHATWG Encoding Standard). The JDK's decoder differs: it waits for the
 * third byte of an encoded surrogate.
 */
final class Utf8Decoder {
    static final int REPLACEMENT = 0xFFFD;

    private int codePoint;
    /** Continuation bytes that the character still lacks. */
    private int missing;
    /** Range that the next continuation byte must lie in. */
    private int lower = 0x80;

    private int upper = 0xBF;

    /** Takes one byte and passes on the code points, none to two, that are known by now. */
    void push(byte next, IntConsumer out) {
        int b = next & 0xFF;
        if (missing > 0) {
            if (b >= lower && b <= upper) {
                codePoint = codePoint << 6 | b & 0x3F;
                lower = 0x80;
                upper = 0xBF;
                if (--missing == 0) {
                    out.accept(codePoint);
                }
                return;
            }
            finish(out);
        }
        if (b < 0x80) {
            out.accept(b);
        } else if (b >= 0xC2 && b <= 0xDF) {
            begin(b & 0x1F, 1, 0x80, 0xBF);
        } else if (b >= 0xE0 && b <= 0xEF) {
            // E0 would be overlong below A0, ED would be a surrogate above 9F.
            begin(b & 0x0F, 2, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
        } else if (b >= 0xF0 && b <= 0xF4) {
            // F0 would be overlong below 90, F4 would pass U+10FFFF above 8F.
            begin(b & 0x07, 3, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
        } else {
            out.accept(REPLACEMENT);
        }
    }

    /** Ends the text, or the character that was begun: if one is incomplete it becomes U+FFFD. */
    void finish(IntConsumer out) {
        if (missing > 0) {
            missing = 0;
            lower = 0x80;
            upper = 0xBF;
            out.accept(REPLACEMENT);
        }
    }

    private void begin(int bits, int continuationBytes, int firstLower, int firstUpper) {
        codePoint = bits;
        missing = continuationBytes;
        lower = firstLower;
        upper = firstUpper;
    }
}
