package dev.penstock.backend;

/**
 * What the router chooses among: something that can generate with one model. There are two kinds, by what they take: a
 * {@link TokenBackend} takes token ids, a {@link WireBackend} the request as its caller wrote it.
 */
public sealed interface Backend permits TokenBackend, WireBackend {
    /** A stable name for logs, metrics and reply headers. */
    String name();

    /** The name of the model that it serves, as callers name it. */
    String model();

    /** What it has to do at present. */
    Load load();

    /** Whether it takes requests at present, as far as that is known. */
    boolean available();

    /**
     * The work of a backend.
     *
     * @param running sequences in its batch
     * @param waiting sequences that have not begun
     * @param kvUsage share of the KV cache in use, 0 to 1
     */
    record Load(int running, int waiting, double kvUsage) {}
}
