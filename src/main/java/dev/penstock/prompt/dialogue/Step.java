package dev.penstock.prompt.dialogue;

/** What a char meant to a reader. */
enum Step {
    /** It belongs to what is read, and there may be more. */
    MORE,
    /** It was the last one. */
    DONE,
    /** What is read had ended before it. */
    OVER,
    /** It can't be there. */
    BROKEN
}
