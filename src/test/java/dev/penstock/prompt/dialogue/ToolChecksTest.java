package dev.penstock.prompt.dialogue;

import static dev.penstock.prompt.dialogue.ToolMessagesTest.call;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests whose tools, calls and results don't fit together are told so, with the field. */
class ToolChecksTest {
    private static final Map<String, Object> USER = Map.of("role", "user", "content", "Hi");

    @Test
    void aWholeConversationPasses() {
        assertThat(check(
                        USER,
                        calls(call("a", "ping", "{}"), call("b", "ping", "not JSON")),
                        result("b"),
                        result("a"),
                        calls(call("a", "ping", "{}")),
                        result("a"),
                        USER))
                .isEmpty();
        assertThat(ToolChecks.tools(Reading.TOOLS)).isEmpty();
    }

    @Test
    void aResultNeedsTheIdOfACallRightBeforeIt() {
        assertProblem(check(USER, result("a")), "messages[1].role", "no message with 'tool_calls'");
        assertProblem(
                check(USER, calls(call("a", "ping", "{}")), result("b")),
                "messages[2].tool_call_id",
                "'b', which is none of the calls before it: a.");
        assertProblem(
                check(calls(call("a", "ping", "{}"), call("b", "ping", "{}")), result("a"), result("a")),
                "messages[2].tool_call_id",
                "answered already");
        assertProblem(
                check(calls(call("a", "ping", "{}")), result("a"), USER, result("a")),
                "messages[3].role",
                "right before it");
        assertProblem(
                check(calls(call("a", "ping", "{}")), Map.of("role", "tool", "content", "x")),
                "messages[1].tool_call_id",
                "missing");
    }

    @Test
    void aCallNeedsItsResult() {
        assertProblem(check(calls(call("a", "ping", "{}")), USER), "messages[1].role", "none for a.");
        assertProblem(check(USER, calls(call("a", "ping", "{}"))), "messages[1]", "none for a.");
    }

    @Test
    void aCallHasAnIdANameAndArguments() {
        assertProblem(check(calls(call("", "ping", "{}"))), "messages[0].tool_calls[0].id", "missing");
        assertProblem(
                check(calls(call("a", "p ng", "{}"))),
                "messages[0].tool_calls[0].function.name",
                "1 to 64 of the characters");
        assertProblem(
                check(calls(call("a", "ping", "{}"), call("a", "ping", "{}"))),
                "messages[0].tool_calls[1].id",
                "like that of a call before it");
        assertProblem(
                check(calls(Map.of("id", "a", "function", Map.of("name", "ping", "arguments", 5)))),
                "messages[0].tool_calls[0].function.arguments",
                "must be a string");
        assertProblem(
                check(Map.of("role", "assistant", "tool_calls", List.of(5))),
                "messages[0].tool_calls[0].id",
                "missing");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a.b",
                "ä",
                "a\u0000",
                "\ud800",
                "a b",
                "x\n",
                "12345678901234567890123456789012345678901234567890123456789012345"
            })
    void aNameThatCannotBeIsRefused(String name) {
        assertProblem(
                ToolChecks.tools(List.of(Reading.PING, new Tool(name, null, Reading.PING.parameters(), false))),
                "tools[1].function.name",
                "1 to 64 of the characters a-z");
    }

    @Test
    void aNameStandsForOneTool() {
        assertProblem(
                ToolChecks.tools(List.of(Reading.PING, Reading.SEARCH, Reading.PING)),
                "tools[2].function.name",
                "'ping' like that of tools[0]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "true", "{\"type\": \"string\"}"})
    void argumentsAreAnObject(String schema) {
        assertProblem(
                ToolChecks.tools(List.of(Reading.tool("f", schema))),
                "tools[0].function.parameters",
                "Schema of an object");
    }

    @SafeVarargs
    private static Optional<ToolChecks.Problem> check(Map<String, Object>... messages) {
        return ToolChecks.conversation(List.of(messages));
    }

    @SafeVarargs
    private static Map<String, Object> calls(Map<String, Object>... calls) {
        return Map.of("role", "assistant", "tool_calls", List.of(calls));
    }

    private static Map<String, Object> result(String id) {
        return Map.of("role", "tool", "tool_call_id", id, "content", "x");
    }

    private static void assertProblem(Optional<ToolChecks.Problem> problem, String path, String message) {
        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.path()).isEqualTo(path);
            assertThat(p.message()).contains(message);
        });
    }
}
