package dev.penstock.engine;

import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationEvent.PromptScored;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Keeps a generation's events and holds them to their order: the prompt scored if at all, deltas, then one end. */
public final class Recorder implements GenerationListener {
    private final List<GenerationEvent> events = new ArrayList<>();
    private final CompletableFuture<GenerationEvent> end = new CompletableFuture<>();

    @Override
    public synchronized void onEvent(GenerationEvent event) {
        if (end.isDone()) {
            throw new AssertionError("event after the end: " + event);
        }
        if (event instanceof PromptScored && !events.isEmpty()) {
            throw new AssertionError("the prompt is scored after " + events.getLast());
        }
        events.add(event);
        if (event instanceof Finished || event instanceof Failed) {
            end.complete(event);
        }
    }

    /** The last event, once it is there. */
    GenerationEvent end() {
        try {
            return end.get(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("no end within a minute", e);
        }
    }

    public Finished finished() {
        return (Finished) end();
    }

    public Failed failed() {
        return (Failed) end();
    }

    boolean hasEnded() {
        return end.isDone();
    }

    public synchronized String text() {
        StringBuilder text = new StringBuilder();
        deltas().forEach(d -> text.append(d.text()));
        return text.toString();
    }

    /** What the prompt was scored; empty if it was not. */
    synchronized Optional<PromptScored> promptScored() {
        return events.stream()
                .filter(PromptScored.class::isInstance)
                .map(PromptScored.class::cast)
                .findFirst();
    }

    synchronized List<Delta> deltas() {
        return events.stream()
                .filter(Delta.class::isInstance)
                .map(Delta.class::cast)
                .toList();
    }

    synchronized List<TokenLogprob> logprobs() {
        return deltas().stream().flatMap(d -> d.logprobs().stream()).toList();
    }
}
