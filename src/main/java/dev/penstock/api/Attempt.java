package dev.penstock.api;

/** One try to have a request answered by a backend. */
interface Attempt {
    /** Sends it there; from any thread. */
    void begin();

    /** The exchange is over: takes the request back; on its event loop, any number of times. */
    void cancel();
}
