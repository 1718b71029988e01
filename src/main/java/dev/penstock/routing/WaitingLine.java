package dev.penstock.routing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Requests that wait for a backend: the one whose deadline is nearest is asked for first. Where it is full, the one of the
 * lowest priority goes, and among equals the one with most time left. Not safe for several threads.
 *
 * @param <T> what stands for a request
 */
public final class WaitingLine<T> {
    private static final Comparator<Place<?>> BY_DEADLINE = Comparator.comparingLong(p -> p.demand.deadlineNs());

    private static final Comparator<Place<?>> BY_WORTH =
            Comparator.<Place<?>>comparingInt(p -> p.demand.priority()).thenComparing(BY_DEADLINE.reversed());

    private final List<Place<T>> places = new ArrayList<>();
    private final int capacity;

    /** A line of at most so many. */
    public WaitingLine(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("A waiting line holds at least one request, not " + capacity + ".");
        }
        this.capacity = capacity;
    }

    /** Lets a request wait, to be asked for from that time on; answers who is to be refused for it, perhaps itself. */
    public Optional<T> add(T request, Demand demand, long untilNs) {
        places.add(new Place<>(request, demand, untilNs));
        if (places.size() <= capacity) {
            return Optional.empty();
        }
        Place<T> least = places.stream().min(BY_WORTH).orElseThrow();
        places.remove(least);
        return Optional.of(least.request);
    }

    /** When there is someone to ask for; empty if no one waits. */
    public OptionalLong nextNs() {
        return places.stream().mapToLong(Place::untilNs).min();
    }

    /** Takes out the one with the nearest deadline of those whose time has come. */
    public Optional<T> poll(long nowNs) {
        Optional<Place<T>> next =
                places.stream().filter(p -> p.untilNs <= nowNs).min(BY_DEADLINE);
        next.ifPresent(places::remove);
        return next.map(Place::request);
    }

    /** Takes out one, if it waits. */
    public void remove(T request) {
        places.removeIf(p -> p.request.equals(request));
    }

    /** How many wait. */
    public int size() {
        return places.size();
    }

    private record Place<T>(T request, Demand demand, long untilNs) {}
}
