package dev.penstock.api;

import org.jspecify.annotations.Nullable;

/**
 * One HTTP exchange, as the thread that answers it sees the connection: says when the exchange is over, be it answered
 * or left by the client. Writes alone don't tell: a plain reply has none before its end, and those of a stream do not
 * fail.
 */
final class Exchange {
    /** Where it is kept in the routing context. */
    static final String KEY = "penstock.exchange";

    private final Runnable abort;
    private boolean over;
    private @Nullable Runnable then;

    /**
     * For an exchange under way.
     *
     * @param abort breaks the connection off, without blocking
     */
    Exchange(Runnable abort) {
        this.abort = abort;
    }

    /** Breaks the connection off, from any thread: the thread that writes to it goes on at once, and fails. */
    void abort() {
        abort.run();
    }

    /** Runs this when the exchange is over, at once if it is already; on the event loop, so it must not block. */
    void whenOver(Runnable action) {
        synchronized (this) {
            if (!over) {
                then = action;
                return;
            }
        }
        action.run();
    }

    /** The exchange is over. */
    void over() {
        Runnable action;
        synchronized (this) {
            over = true;
            action = then;
            then = null;
        }
        if (action != null) {
            action.run();
        }
    }
}
