package dev.penstock.model;

/** What texts a completion may have; compiled once, followed by any number of completions, safe for many threads. */
public interface OutputConstraint {
    /** Starts at the beginning of a completion. */
    OutputFollower follow();
}
