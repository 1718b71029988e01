package dev.penstock.prompt.dialogue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Messages of a conversation with tools: from the wire to what templates take. */
public final class ToolMessages {
    private ToolMessages() {}

    /**
     * What is wrong with a request's field.
     *
     * @param path such as {@code messages[2].tool_call_id}
     * @param message a sentence for the caller
     */
    public record Problem(String path, String message) {}

    /** The first thing that is wrong with calls and results: a result without its call, an id twice, names that can't be. */
    public static Optional<Problem> check(List<Map<String, @Nullable Object>> messages) {
        throw new UnsupportedOperationException();
    }

    /** The first thing that is wrong with these tools: a name that can't be, or twice; parameters that are no schema of an object. */
    public static Optional<Problem> checkTools(List<Tool> tools) {
        throw new UnsupportedOperationException();
    }
}
