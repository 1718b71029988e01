package dev.penstock.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What is wrong with a configuration, gathered so that all of it can be told at once. */
final class Problems {
    private final List<String> messages = new ArrayList<>();

    /** Adds one. */
    void add(String message) {
        messages.add(message);
    }

    /** Adds one unless that holds. */
    void require(boolean holds, String message) {
        if (!holds) {
            add(message);
        }
    }

    /** What this gives; where it throws {@link StartException}, its message is one more and there is nothing. */
    <T> Optional<T> attempt(Supplier<T> value) {
        try {
            return Optional.of(value.get());
        } catch (StartException e) {
            add(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    /** Throws {@link StartException} with all of them, if there is any. */
    void throwIfAny() {
        if (messages.size() == 1) {
            throw new StartException(messages.getFirst());
        }
        if (!messages.isEmpty()) {
            throw new StartException(
                    "The configuration has " + messages.size() + " faults:\n- " + String.join("\n- ", messages));
        }
    }
}
