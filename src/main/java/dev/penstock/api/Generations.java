package dev.penstock.api;

import dev.penstock.backend.TokenBackend;
import dev.penstock.model.FinishReason;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationEvent.PromptScored;
import dev.penstock.model.GenerationRequest;
import dev.penstock.routing.Placement;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** The sequences of a request at a replica, as the router sees them: what comes of each, or that all failed before any began. */
final class Generations {
    private enum State {
        WAITING,
        BEGUN,
        LOST
    }

    private final Placement placement;
    private final Choices choices;
    private final Consumer<Failed> onLost;
    private final List<Generation> all = new CopyOnWriteArrayList<>();
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private volatile boolean cancelled;

    /**
     * None yet.
     *
     * @param choices gets what comes of them
     * @param onLost told, in place of the choices, that they failed before any began
     */
    Generations(Placement placement, Choices choices, Consumer<Failed> onLost) {
        this.placement = placement;
        this.choices = choices;
        this.onLost = onLost;
    }

    /** Submits one for each choice. */
    void submit(TokenBackend backend, List<GenerationRequest> sequences) {
        for (int i = 0; i < sequences.size(); i++) {
            int index = i;
            all.add(backend.submit(sequences.get(i), event -> take(index, event)));
            // Whoever cancelled meanwhile did not see this one.
            if (cancelled) {
                cancel();
                return;
            }
        }
    }

    /** Cancels what has not ended; from any thread, any number of times. */
    void cancel() {
        cancelled = true;
        all.forEach(Generation::cancel);
    }

    private void take(int index, GenerationEvent event) {
        boolean fault = event instanceof Failed failed && failed.cause() != Cause.INVALID;
        if (fault && state.compareAndSet(State.WAITING, State.LOST)) {
            cancel();
            onLost.accept((Failed) event);
            return;
        }
        state.compareAndSet(State.WAITING, State.BEGUN);
        if (state.get() == State.LOST) {
            return;
        }
        switch (event) {
            case PromptScored scored -> {}
            case Delta delta -> placement.tokens(index, delta.tokens());
            case Finished finished -> {
                if (finished.reason() == FinishReason.CANCELLED) {
                    placement.left();
                } else {
                    placement.done(index, finished.usage());
                }
            }
            case Failed failed -> {
                if (fault) {
                    placement.failed();
                } else {
                    placement.left();
                }
            }
        }
        choices.add(index, event);
    }
}
