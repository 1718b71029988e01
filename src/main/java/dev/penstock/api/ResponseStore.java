package dev.penstock.api;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Responses in memory, for a while after they were last used, bounded in number and in bytes: the least recently used go first.
 * A response is used when it is asked for by its id, and when another one goes on from it or from a later one. Safe for many
 * threads.
 */
@Singleton
class ResponseStore {
    /** No conversation has more turns: a longer chain is not walked. */
    private static final int MAX_TURNS = 10_000;

    private final ResponseLimits limits;
    private final LongSupplier nanoTime;

    // Guarded by this; in order of use, so that what has been unused for longest comes first.
    private final Map<String, Kept> all = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    private static final class Kept {
        private final StoredResponse response;
        private long usedNs;

        Kept(StoredResponse response, long usedNs) {
            this.response = response;
            this.usedNs = usedNs;
        }
    }

    @Inject
    ResponseStore(ResponseLimits limits) {
        this(limits, System::nanoTime);
    }

    /**
     * None yet.
     *
     * @param nanoTime as {@link System#nanoTime}
     */
    ResponseStore(ResponseLimits limits, LongSupplier nanoTime) {
        this.limits = limits;
        this.nanoTime = nanoTime;
    }

    /** Keeps one; it may be gone at once where there is no room for it. */
    synchronized void put(StoredResponse response) {
        remove(response.id());
        all.put(response.id(), new Kept(response, nanoTime.getAsLong()));
        bytes += response.bytes();
        shrink();
    }

    private void shrink() {
        long nowNs = nanoTime.getAsLong();
        Iterator<Kept> oldest = all.values().iterator();
        while (oldest.hasNext()) {
            Kept kept = oldest.next();
            if (all.size() <= limits.maxCount() && bytes <= limits.maxBytes() && !isOver(kept, nowNs)) {
                return;
            }
            oldest.remove();
            bytes -= kept.response.bytes();
        }
    }

    private boolean isOver(Kept kept, long nowNs) {
        return nowNs - kept.usedNs >= limits.keep().toNanos();
    }

    /** The response of that id. */
    synchronized Optional<StoredResponse> find(String id) {
        shrink();
        Kept kept = all.get(id);
        if (kept == null) {
            return Optional.empty();
        }
        kept.usedNs = nanoTime.getAsLong();
        return Optional.of(kept.response);
    }

    /** The response of that id after all that it goes on from, the first one first; nothing if one of them is not there. */
    synchronized Optional<List<StoredResponse>> conversation(String id) {
        Deque<StoredResponse> turns = new ArrayDeque<>();
        for (@Nullable String next = id; next != null; next = turns.getFirst().previousId()) {
            Optional<StoredResponse> turn = find(next);
            if (turn.isEmpty() || turns.size() == MAX_TURNS) {
                return Optional.empty();
            }
            turns.addFirst(turn.get());
        }
        return Optional.of(List.copyOf(turns));
    }

    /** Forgets the response of that id; whether there was one. */
    synchronized boolean remove(String id) {
        shrink();
        Kept kept = all.remove(id);
        if (kept != null) {
            bytes -= kept.response.bytes();
        }
        return kept != null;
    }

    /** What all take in memory. */
    synchronized long bytes() {
        return bytes;
    }
}
