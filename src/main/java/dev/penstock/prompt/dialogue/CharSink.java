package dev.penstock.prompt.dialogue;

/** Takes a text char by char, so that no cut of it can make a difference. */
interface CharSink {
    /** Takes the next char. */
    void accept(char c);

    /** Takes the end. */
    void finish();

    /** Takes several chars. */
    default void acceptAll(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            accept(text.charAt(i));
        }
    }

    /** Whether a char is white space between marks; other Unicode spaces are text. */
    static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }

    /** Whether {@code whole} begins with {@code part}. */
    static boolean begins(String whole, CharSequence part) {
        if (part.length() > whole.length()) {
            return false;
        }
        for (int i = 0; i < part.length(); i++) {
            if (whole.charAt(i) != part.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
