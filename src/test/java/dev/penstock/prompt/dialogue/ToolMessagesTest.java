package dev.penstock.prompt.dialogue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.prompt.ChatTemplates;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Calls and results of the wire become what templates take. */
class ToolMessagesTest {
    private static final Map<String, Object> USER = Map.of("role", "user", "content", "Weather?");
    private static final Map<String, Object> CALLS = Map.of(
            "role",
            "assistant",
            "content",
            "Wait.",
            "tool_calls",
            List.of(call("call_A", "get_weather", "{\"city\": \"Bern\", \"days\": 2}"), call("call_B", "ping", "")));
    private static final Map<String, Object> RESULT_A =
            Map.of("role", "tool", "tool_call_id", "call_A", "content", "5°");
    private static final Map<String, Object> RESULT_B =
            Map.of("role", "tool", "tool_call_id", "call_B", "content", "pong");
    private static final List<Map<String, Object>> CONVERSATION = List.of(USER, CALLS, RESULT_A, RESULT_B);

    @Test
    void templatesThatIterateOverArgumentsGetObjects() {
        String template = """
                {%- for m in messages %}
                    {%- if m.role == 'assistant' and m.tool_calls %}
                        {%- for c in m.tool_calls %}
                            {%- for k, v in c.function.arguments.items() %}{{ c.function.name }}.{{ k }}={{ v }};{% endfor %}
                        {%- endfor %}
                    {%- elif m.role == 'tool' %}{{ m.name }}:{{ m.content }};{% endif %}
                {%- endfor %}""";
        assertThat(render(ToolStyle.GLM_XML, template, CONVERSATION))
                .isEqualTo("get_weather.city=Bern;get_weather.days=2;get_weather:5°;ping:pong;");
    }

    @Test
    void templatesThatPrintArgumentsGetObjectsToo() {
        String template = """
                {%- for m in messages if m.tool_calls is defined %}
                    {%- for c in m.tool_calls %}{{ m.content }}|{{ c.type }}|{{ c.function | tojson }}
                {% endfor %}
                {%- endfor %}""";
        assertThat(render(ToolStyle.HERMES, template, CONVERSATION)).isEqualTo("""
                        Wait.|function|{"name": "get_weather", "arguments": {"city": "Bern", "days": 2}}
                        Wait.|function|{"name": "ping", "arguments": {}}
                        """);
    }

    @Test
    void argumentsThatAreNoObjectStayText() {
        Map<String, Object> spoilt = Map.of("role", "assistant", "tool_calls", List.of(call("x", "ping", "{\"a\": ")));
        assertThat(render(
                        ToolStyle.HERMES,
                        "{{ messages[0].tool_calls[0].function.arguments }}/{{ messages[0].content }}/",
                        List.of(spoilt)))
                .isEqualTo("{\"a\": //");
        assertThat(render(ToolStyle.INSTRUCTED, "{{ messages[0].content }}", List.of(spoilt)))
                .isEqualTo("<tool_call>\n{\"name\": \"ping\", \"arguments\": \"{\\\"a\\\": \"}\n</tool_call>");
    }

    @Test
    void mistralGetsIdsOfNineLettersAndDigits() {
        String template = """
                {%- for m in messages %}
                    {%- for c in m.tool_calls or [] %}
                        {%- if c.id | length != 9 %}{{ raise_exception('nine') }}{% endif %}{{ c.id }};
                    {%- endfor %}
                    {%- if m.role == 'tool' %}{{ m.tool_call_id }};{% endif %}
                {%- endfor %}""";
        String[] ids = render(ToolStyle.MISTRAL_LIST, template, CONVERSATION).split(";");
        assertThat(ids).hasSize(4).allMatch(id -> id.matches("[a-zA-Z0-9]{9}"));
        assertThat(ids[0]).isEqualTo(ids[2]).isNotEqualTo(ids[1]);
        assertThat(ids[1]).isEqualTo(ids[3]);
        Map<String, Object> own = Map.of("role", "assistant", "tool_calls", List.of(call("abcDEF123", "ping", "{}")));
        assertThat(render(ToolStyle.MISTRAL_LIST, template, List.of(own))).isEqualTo("abcDEF123;");
    }

    @Test
    void templatesThatKnowNoToolsGetText() {
        String template = """
                {%- for m in messages %}
                    {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
                    {{- '[' + m.role + ']' + m.content }}
                {%- endfor %}""";
        Map<String, Object> more = Map.of("role", "user", "content", "And?");
        assertThat(render(ToolStyle.INSTRUCTED, template, List.of(USER, CALLS, RESULT_A, RESULT_B, more)))
                .isEqualTo("""
                        [user]Weather?[assistant]Wait.
                        <tool_call>
                        {"name": "get_weather", "arguments": {"city": "Bern", "days": 2}}
                        </tool_call>
                        <tool_call>
                        {"name": "ping", "arguments": {}}
                        </tool_call>[user]<tool_response>
                        5°
                        </tool_response>
                        <tool_response>
                        pong
                        </tool_response>
                        And?""");
    }

    @Test
    void whatBecomesTextIsReadAsTheSameCalls() {
        List<Map<String, Object>> messages =
                Reading.format(ToolStyle.INSTRUCTED, null).templateMessages(List.of(CALLS));
        assertThat(Reading.of(
                        ToolStyle.INSTRUCTED, String.valueOf(messages.getFirst().get("content"))))
                .containsExactly("text:Wait.", "get_weather{\"city\": \"Bern\", \"days\": 2}", "ping{}");
    }

    @Test
    void toolsBecomeTheTemplatesVariable() {
        Tool tool = Reading.tool(
                "f", "{\"type\": \"object\", \"properties\": {\"a\": {\"enum\": [1, 1.5, null, true, \"x\"]}}}");
        Map<String, @Nullable Object> variables = new HashMap<>();
        variables.put(
                "tools", ToolMessages.templateTools(List.of(tool, new Tool("g", null, tool.parameters(), false))));
        assertThat(ChatTemplates.of("{% for t in tools %}{{ t | tojson }}\n{% endfor %}")
                        .render(variables))
                .isEqualTo("""
                        {"type": "function", "function": {"name": "f", "description": "What f does.", "parameters":\
                         {"type": "object", "properties": {"a": {"enum": [1, 1.5, null, true, "x"]}}}}}
                        {"type": "function", "function": {"name": "g", "description": "", "parameters":\
                         {"type": "object", "properties": {"a": {"enum": [1, 1.5, null, true, "x"]}}}}}
                        """);
    }

    private static String render(ToolStyle style, String template, List<Map<String, Object>> messages) {
        return ChatTemplates.of(template)
                .render(Map.of("messages", Reading.format(style, null).templateMessages(messages)));
    }

    static Map<String, Object> call(String id, String name, String arguments) {
        return Map.of("id", id, "type", "function", "function", Map.of("name", name, "arguments", arguments));
    }
}
