package dev.penstock.backend;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The backends that there are at present; safe for many threads. */
public final class BackendPool {
    private final List<Backend> backends = new CopyOnWriteArrayList<>();

    /** Lets a backend take requests from now on. */
    public void add(Backend backend) {
        backends.add(backend);
    }

    /** Gives a backend no more requests; those under way go on. */
    public void remove(Backend backend) {
        backends.remove(backend);
    }

    /** All backends, in the order in which they came. */
    public List<Backend> all() {
        return List.copyOf(backends);
    }

    /** The backends that serve this model; empty if none does. */
    public List<Backend> serving(String model) {
        return backends.stream().filter(b -> b.model().equals(model)).toList();
    }
}
