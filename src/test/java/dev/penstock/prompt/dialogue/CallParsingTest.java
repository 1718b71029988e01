package dev.penstock.prompt.dialogue;

import static dev.penstock.prompt.dialogue.Reading.TOOLS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls in the formats of the families, well written. */
class CallParsingTest {
    @Test
    void hermesCallsStandBetweenTags() {
        assertThat(Reading.of(ToolStyle.HERMES, """
                        I'll look that up.

                        <tool_call>
                        {"name": "get_weather", "arguments": {"city": "Zürich 🌧", "days": 3}}
                        </tool_call>
                        <tool_call>
                        {"name": "ping", "arguments": {}}
                        </tool_call>
                        """))
                .containsExactly(
                        "text:I'll look that up.", "get_weather{\"city\": \"Zürich 🌧\", \"days\": 3}", "ping{}");
    }

    @Test
    void oneTagMayHoldSeveralCalls() {
        assertThat(Reading.of(
                        ToolStyle.HERMES,
                        "<tool_call>{\"name\":\"ping\"}\n{\"name\":\"ping\",\"arguments\":null}</tool_call>Done."))
                .containsExactly("ping{}", "ping{}", "text:Done.");
    }

    @Test
    void argumentsMayComeFirstAndMayBeAString() {
        assertThat(
                        Reading.of(
                                ToolStyle.HERMES,
                                "<tool_call>{\"arguments\": {\"query\": \"a\"}, \"name\": \"search\"}</tool_call>"
                                        + "<tool_call>{\"name\": \"search\", \"arguments\": \"{\\\"query\\\": \\\"b\\\"}\"}</tool_call>"))
                .containsExactly("search{\"query\": \"a\"}", "search{\"query\": \"b\"}");
    }

    @Test
    void llamaCallsAreTheWholeReply() {
        assertThat(Reading.of(
                        ToolStyle.LLAMA_JSON,
                        "{\"type\": \"function\", \"name\": \"search\", \"parameters\": {\"query\": \"x; y\"}}; "
                                + "{\"name\": \"ping\", \"parameters\": {}}"))
                .containsExactly("search{\"query\": \"x; y\"}", "ping{}");
        assertThat(Reading.of(ToolStyle.LLAMA_JSON, "<|python_tag|>{\"name\": \"ping\", \"parameters\": {}}"))
                .containsExactly("ping{}");
        assertThat(Reading.of(ToolStyle.LLAMA_JSON, "\n\n<|python_tag|>search.call(query=\"a \\\"b\\\", c\")"))
                .containsExactly("search{\"query\": \"a \\\"b\\\", c\"}");
    }

    @Test
    void llamaPythonCallsAreAList() {
        assertThat(Reading.of(
                        ToolStyle.PYTHONIC,
                        "[get_weather(city='São \\'P\\'', days=2, note=None), search(tags=['a', \"b\"], exact=True,"
                                + " filter={'k': (1, -2.5e3,)}), ping()]"))
                .containsExactly(
                        "get_weather{\"city\": \"São 'P'\", \"days\": 2, \"note\": null}",
                        "search{\"tags\": [\"a\", \"b\"], \"exact\": true, \"filter\": {\"k\": [1, -2.5E+3]}}",
                        "ping{}");
        assertThat(Reading.of(ToolStyle.PYTHONIC, "One moment.<|python_start|>[ping()]"))
                .containsExactly("text:One moment.", "ping{}");
    }

    @Test
    void mistralCallsAreAnArrayBehindTheMark() {
        assertThat(Reading.of(
                        ToolStyle.MISTRAL_LIST,
                        "[TOOL_CALLS] [{\"name\": \"search\", \"arguments\": {\"query\": \"[x]\"}, \"id\": \"abcDEF123\"},"
                                + " {\"name\": \"ping\", \"arguments\": {}}]"))
                .containsExactly("search{\"query\": \"[x]\"}", "ping{}");
    }

    @Test
    void newerMistralCallsAreNamesAndArguments() {
        assertThat(Reading.of(
                        ToolStyle.MISTRAL_ARGS,
                        "Sure.[TOOL_CALLS]search[ARGS]{\"query\": \"x\"}[TOOL_CALLS]ping[CALL_ID]abcDEF123[ARGS]{}"
                                + "[TOOL_CALLS]ping{}"))
                .containsExactly("text:Sure.", "search{\"query\": \"x\"}", "ping{}", "ping{}");
    }

    @Test
    void qwenCoderCallsAreTags() {
        assertThat(Reading.of(ToolStyle.QWEN_XML, """
                        <tool_call>
                        <function=get_weather>
                        <parameter=city>
                        Bern
                        <b>"x"</b>
                        </parameter>
                        <parameter=days>
                        3
                        </parameter>
                        <parameter=note>
                        null
                        </parameter>
                        </function>
                        </tool_call>
                        <function=search>
                        <parameter=query>
                        12
                        </parameter>
                        <parameter=exact>
                        True
                        </parameter>
                        <parameter=unknown>
                        [1, 2]
                        </parameter>
                        </function>"""))
                .containsExactly(
                        "get_weather{\"city\": \"Bern\\n<b>\\\"x\\\"</b>\", \"days\": 3, \"note\": null}",
                        "search{\"query\": \"12\", \"exact\": true, \"unknown\": [1, 2]}");
    }

    @Test
    void glmCallsAreKeysAndValues() {
        assertThat(Reading.of(ToolStyle.GLM_XML, """
                        <tool_call>get_weather
                        <arg_key>city</arg_key>
                        <arg_value>Bern</arg_value>
                        <arg_key>unit</arg_key>
                        <arg_value>C</arg_value>
                        </tool_call>
                        <tool_call>ping</tool_call>
                        """))
                .containsExactly("get_weather{\"city\": \"Bern\", \"unit\": \"C\"}", "ping{}");
    }

    @Test
    void olderGlmCallsAreLines() {
        assertThat(Reading.of(ToolStyle.GLM_LINES, "\nsearch\n{\"query\": \"x\"}\nping\n{}"))
                .containsExactly("search{\"query\": \"x\"}", "ping{}");
        assertThat(Reading.of(ToolStyle.GLM_LINES, "search engines are useful"))
                .containsExactly("text:search engines are useful");
    }

    @Test
    void gemmaWritesPythonInAFence() {
        assertThat(Reading.of(
                        ToolStyle.GEMMA,
                        "Let me see.\n```tool_code\nprint(default_api.search(query='x'))\nping()\n```\nThere."))
                .containsExactly("text:Let me see.", "search{\"query\": \"x\"}", "ping{}", "text:\nThere.");
        assertThat(Reading.of(ToolStyle.GEMMA, "<tool_call>\n{\"name\": \"ping\", \"arguments\": {}}\n</tool_call>"))
                .containsExactly("ping{}");
    }

    @Test
    void gemmaWritesJsonWithAndWithoutAFence() {
        assertThat(Reading.of(ToolStyle.GEMMA, "{\"name\": \"search\", \"parameters\": {\"query\": \"x\"}}\n"))
                .containsExactly("search{\"query\": \"x\"}");
        assertThat(Reading.of(ToolStyle.GEMMA, "```json\n{\"name\": \"ping\", \"parameters\": {}}\n```"))
                .containsExactly("ping{}");
    }

    @Test
    void lineBreaksThatModelsPutIntoStringsAreEscaped() {
        assertThat(Reading.of(
                        ToolStyle.HERMES,
                        "<tool_call>{\"name\": \"search\", \"arguments\": {\n\"query\": \"a\n\tb\"}}"))
                .containsExactly("search{\n\"query\": \"a\\n\\tb\"}");
    }

    @Test
    void argumentsGoOutAsTheyCome() {
        CompletionParser parser = Reading.format(ToolStyle.HERMES, null).parser(TOOLS, "");
        List<Piece> pieces = new ArrayList<>();
        parser.push("Hi <tool_call>{\"name\": \"search\", \"arguments\": {\"query\": \"ab", pieces::add);
        assertThat(pieces)
                .containsExactly(
                        new Piece.Text("Hi"),
                        new Piece.CallBegins(0, "search"),
                        new Piece.Arguments(0, "{\"query\": \"ab"));
        pieces.clear();
        parser.push("c", pieces::add);
        assertThat(pieces).containsExactly(new Piece.Arguments(0, "c"));
    }

    @ParameterizedTest
    @EnumSource(ToolStyle.class)
    void textIsTextAndGoesOutAtOnce(ToolStyle style) {
        CompletionParser parser = Reading.format(style, null).parser(TOOLS, "");
        List<Piece> pieces = new ArrayList<>();
        parser.push(" No call here: 1 < 2", pieces::add);
        assertThat(pieces).containsExactly(new Piece.Text(" No call here: 1 < 2"));
    }

    @ParameterizedTest
    @EnumSource(ToolStyle.class)
    void whereNoToolsAreExpectedAllIsText(ToolStyle style) {
        String text = " <tool_call>{\"name\": \"ping\", \"arguments\": {}}</tool_call> [TOOL_CALLS]ping[ARGS]{} \n";
        assertThat(Reading.of(Reading.format(style, null), List.of(), "", text)).containsExactly("text:" + text);
    }

    @ParameterizedTest
    @EnumSource(ToolStyle.class)
    void aTextThatAlmostBeginsCallsOverAndOverTakesLinearTime(ToolStyle style) {
        String[] almost = {
            "<tool_call>",
            "<tool_call>{\"name\":\"",
            "<tool_call>\n",
            "[TOOL_CALLS]",
            "[TOOL_CALLS][{\"id\":\"",
            "```tool_code f(a=",
            "```tool_code ping(a=",
            "<|python_tag|>ping.call(a=",
            "<tool_call><function=ping><parameter=a>",
            "<function=ping>",
            "<tool_call>ping<arg_key>",
            "{\"name\":\"",
            "[ping(a=",
            "ping\n",
            "{\"id\":{\"a\":",
            "   ",
            "<tool_call>{\"id\":\"\\\"<"
        };
        for (String part : almost) {
            for (String end : List.of("", "@", ")", "\"", "\"@", "}}@")) {
                String text = part.repeat(2_000) + end.repeat(2_000);
                CompletionParser parser =
                        Reading.format(style, ReasoningTags.THINK).parser(TOOLS, "");
                List<Piece> pieces = new ArrayList<>();
                Assertions.assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
                    parser.push(text, pieces::add);
                    parser.finish(pieces::add);
                });
            }
        }
    }
}
