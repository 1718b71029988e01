package dev.penstock.api;

import java.util.List;
import java.util.Map;

/**
 * The prompt of a conversation for a model that has no chat template: one paragraph a message, {@code role: content},
 * and then {@code assistant:} for the model to go on from. It ends where the model begins to speak for the user.
 */
final class PlainConversation {
    /** What ends the assistant's paragraph. */
    static final List<String> STOP = List.of("\n\nuser:", "\n\nsystem:");

    private PlainConversation() {}

    static String render(List<Map<String, Object>> messages) {
        StringBuilder prompt = new StringBuilder();
        for (Map<String, Object> message : messages) {
            prompt.append(message.get("role"))
                    .append(": ")
                    .append(message.get("content"))
                    .append("\n\n");
        }
        return prompt.append("assistant:").toString();
    }
}
