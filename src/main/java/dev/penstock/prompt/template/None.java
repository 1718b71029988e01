package dev.penstock.prompt.template;

/** Python's None. */
enum None {
    NONE
}
