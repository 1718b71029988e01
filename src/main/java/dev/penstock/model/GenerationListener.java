package dev.penstock.model;

/** Receives a generation's events in order; called on the thread that makes the tokens, so it must return at once. */
@FunctionalInterface
public interface GenerationListener {
    /** Takes one event; must neither block nor throw. */
    void onEvent(GenerationEvent event);
}
