package dev.penstock.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns items into the messages that templates know: what the model thought, said and called in one turn is one message, and so
 * are instructions that stand together. For one thread.
 */
final class ResponseInput {
    private final List<Map<String, Object>> messages = new ArrayList<>();
    private final List<String> instructions = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private final List<String> thought = new ArrayList<>();
    private final List<Map<String, Object>> calls = new ArrayList<>();

    private ResponseInput() {}

    /**
     * The messages of a conversation.
     *
     * @param instructions that go before it, if there are any
     */
    static List<Map<String, Object>> messages(@Nullable String instructions, List<InputItem> items) {
        ResponseInput input = new ResponseInput();
        if (instructions != null && !instructions.isEmpty()) {
            input.instructions.add(instructions);
        }
        items.forEach(input::add);
        input.endOfTurn();
        input.endOfInstructions();
        return List.copyOf(input.messages);
    }

    private void add(InputItem item) {
        switch (item) {
            case InputItem.Message(String id, String role, String text) -> {
                switch (role) {
                    case "user" -> message("user", text);
                    case "assistant" -> {
                        endOfInstructions();
                        said.add(text);
                    }
                    default -> {
                        endOfTurn();
                        instructions.add(text);
                    }
                }
            }
            case InputItem.Reasoning(String id, String text) -> {
                endOfInstructions();
                thought.add(text);
            }
            case InputItem.FunctionCall(String id, String callId, String name, String arguments) -> {
                endOfInstructions();
                calls.add(MessageFields.toolCall(callId, name, arguments));
            }
            case InputItem.FunctionOutput(String id, String callId, String output) -> {
                message("tool", output);
                messages.getLast().put("tool_call_id", callId);
            }
        }
    }

    private void message(String role, String content) {
        endOfTurn();
        endOfInstructions();
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        messages.add(message);
    }

    private void endOfInstructions() {
        if (!instructions.isEmpty()) {
            String all = String.join("\n\n", instructions);
            instructions.clear();
            message("system", all);
        }
    }

    private void endOfTurn() {
        if (said.isEmpty() && calls.isEmpty()) {
            // Thoughts that nothing came of are nobody's message.
            thought.clear();
            return;
        }
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", "assistant");
        message.put("content", String.join("\n\n", said));
        if (!calls.isEmpty()) {
            message.put("tool_calls", List.copyOf(calls));
        }
        if (!thought.isEmpty()) {
            message.put("reasoning_content", String.join("\n\n", thought));
        }
        messages.add(message);
        said.clear();
        calls.clear();
        thought.clear();
    }
}
