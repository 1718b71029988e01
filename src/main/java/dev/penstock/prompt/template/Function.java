package dev.penstock.prompt.template;

/** What a template can call. */
interface Function {
    /** How messages name it. */
    String name();

    /** Calls it; faults on arguments that it doesn't take. */
    Object call(Args args, Interpreter interpreter);
}
