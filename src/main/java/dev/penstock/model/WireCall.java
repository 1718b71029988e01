package dev.penstock.model;

/** A request under way at a server elsewhere; for the context on which it was sent. */
public interface WireCall {
    /** A call that is over. */
    WireCall NONE = new WireCall() {
        @Override
        public void cancel() {}

        @Override
        public void pause() {}

        @Override
        public void resume() {}
    };

    /** Breaks it off, so that the server can stop; its listener hears no more. Without effect after the end. */
    void cancel();

    /** Takes no more of the reply from the network until {@link #resume}; the server then waits. */
    void pause();

    /** Takes the reply on again. */
    void resume();
}
