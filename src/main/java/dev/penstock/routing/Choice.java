package dev.penstock.routing;

import dev.penstock.backend.Backend;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Picks the backend for a request from what is known about each: state in, a decision out, nothing else. */
final class Choice {
    private static final Comparator<Candidate> BY_LOAD = Comparator.comparingInt(
                    (Candidate c) -> c.load().waiting())
            .thenComparingInt(c -> c.load().running())
            .thenComparingDouble(c -> c.load().kvUsage());

    private Choice() {}

    /** The least loaded one: fewest waiting, then fewest running, then most KV space; the first of equals. */
    static Optional<Candidate> leastLoaded(List<Candidate> candidates) {
        return candidates.stream().min(BY_LOAD);
    }

    /**
     * A backend with its load at one moment.
     *
     * @param backend its place among those that were asked
     * @param load what it has to do
     */
    record Candidate(int backend, Backend.Load load) {}
}
