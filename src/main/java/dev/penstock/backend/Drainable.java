package dev.penstock.backend;

import java.time.Duration;

/** What can be given up in good order. */
public interface Drainable extends AutoCloseable {
    /** Waits until nothing runs there, at most so long; it is for its owner to see that nothing more is sent. */
    void drain(Duration limit) throws InterruptedException;

    /** Frees it; what still runs there ends with an error. */
    @Override
    void close();
}
