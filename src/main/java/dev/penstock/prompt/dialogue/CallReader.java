package dev.penstock.prompt.dialogue;

/** Reads one stretch of calls, char by char, and tells a {@link CallSink} of them. After any step but MORE it is spent. */
interface CallReader {
    /** Takes the next char; where it isn't MORE or DONE the char wasn't taken, and nothing was told. */
    Step take(char c);

    /** Whether the text may end here with nothing lost but marks: all calls that were begun have ended. */
    boolean rests();
}
