package dev.penstock.prompt.dialogue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What looks like a call and is none is given back as text, as far as it hasn't gone out. */
class BrokenCallTest {
    static Stream<Arguments> notCalls() {
        return Stream.of(
                Arguments.of(ToolStyle.HERMES, "<tool_call>"),
                Arguments.of(ToolStyle.HERMES, "a <tool_ca"),
                Arguments.of(ToolStyle.HERMES, "Use <tool_call> tags. "),
                Arguments.of(ToolStyle.HERMES, "<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call>"),
                Arguments.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"ping\", \"arguments\": 5}</tool_call>"),
                Arguments.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"ping\", \"arguments\": \"x\"}</tool_call>"),
                Arguments.of(ToolStyle.HERMES, "<tool_call>{\"name\": 5}</tool_call>"),
                Arguments.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"ping"),
                Arguments.of(ToolStyle.HERMES, "<tool_call>{}</tool_call>"),
                Arguments.of(ToolStyle.HERMES, "<tool_call>{'name': 'ping'}</tool_call>"),
                Arguments.of(ToolStyle.LLAMA_JSON, "{\"answer\": {\"name\": \"ping\"}}"),
                Arguments.of(ToolStyle.LLAMA_JSON, "{\"name\": \"Ada\", \"parameters\": {}}"),
                Arguments.of(ToolStyle.LLAMA_JSON, "{ }"),
                Arguments.of(ToolStyle.LLAMA_JSON, "Call {\"name\": \"ping\", \"parameters\": {}}"),
                Arguments.of(ToolStyle.LLAMA_JSON, "<|python_tag|>print(1 + 1)"),
                Arguments.of(ToolStyle.PYTHONIC, "[a link](http://x)"),
                Arguments.of(ToolStyle.PYTHONIC, "[1, 2]"),
                Arguments.of(ToolStyle.PYTHONIC, "[search('positional')]"),
                Arguments.of(ToolStyle.PYTHONIC, "[ping]"),
                Arguments.of(ToolStyle.MISTRAL_LIST, "[TOOL_CALLS]"),
                Arguments.of(ToolStyle.MISTRAL_LIST, "[TOOL_CALLS] []"),
                Arguments.of(ToolStyle.MISTRAL_ARGS, "[TOOL_CALLS]nobody[ARGS]{}"),
                Arguments.of(ToolStyle.MISTRAL_ARGS, "[TOOL_CALLS]ping[ARGS]5"),
                Arguments.of(ToolStyle.QWEN_XML, "<tool_call>\n<function=nobody>\n</function>\n</tool_call>"),
                Arguments.of(ToolStyle.QWEN_XML, "<tool_call>\n</tool_call>"),
                Arguments.of(ToolStyle.QWEN_XML, "x <function=y"),
                Arguments.of(ToolStyle.GLM_XML, "<tool_call>nobody\n<arg_key>a</arg_key></tool_call>"),
                Arguments.of(ToolStyle.GLM_XML, "<tool_call></tool_call>"),
                Arguments.of(ToolStyle.GLM_LINES, "ping\nis a command"),
                Arguments.of(ToolStyle.GLM_LINES, "pin"),
                Arguments.of(ToolStyle.GEMMA, "```tool_code\nx = 1\n```"),
                Arguments.of(ToolStyle.GEMMA, "```json\n{\"name\": \"Ada\", \"age\": 36}\n```"),
                Arguments.of(ToolStyle.GEMMA, "```python\nping()\n```"));
    }

    @ParameterizedTest
    @MethodSource("notCalls")
    void whatIsNoCallIsTextToTheLastChar(ToolStyle style, String text) {
        assertThat(Reading.of(style, text)).containsExactly("text:" + text);
    }

    @Test
    void aCallBehindABrokenOneCounts() {
        assertThat(
                        Reading.of(
                                ToolStyle.HERMES,
                                "<tool_call>\n<tool_call>{\"name\": \"no<tool_call>{\"name\": \"ping\", \"arguments\": {}}</tool_call>"))
                .containsExactly("text:<tool_call>\n<tool_call>{\"name\": \"no", "ping{}");
    }

    @Test
    void whatHasGoneOutStaysAndTheRestIsText() {
        assertThat(Reading.of(
                        ToolStyle.HERMES,
                        "<tool_call>{\"name\": \"search\", \"arguments\": {\"query\": oops}}</tool_call>"))
                .containsExactly("search{\"query\": …", "text:oops}}</tool_call>");
        assertThat(Reading.of(ToolStyle.PYTHONIC, "[search(query='a', exact=maybe not, tags=[])]"))
                .containsExactly("search{\"query\": \"a\"…", "text: exact=maybe not, tags=[])]");
        assertThat(Reading.of(
                        ToolStyle.GLM_XML, "<tool_call>search\n<arg_key>query</arg_key>\n<arg_value>a</arg_value><br>"))
                .containsExactly("search{\"query\": \"a\"…", "text:<br>");
    }

    @Test
    void aCompletionThatIsCutEndsItsCall() {
        assertThat(Reading.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"search\", \"arguments\": {\"query\": \"a"))
                .containsExactly("search{\"query\": \"a…");
        assertThat(Reading.of(ToolStyle.QWEN_XML, "<tool_call><function=search><parameter=query>\nlong te"))
                .containsExactly("search{…", "text:<parameter=query>\nlong te");
    }

    @Test
    void marksThatAreMissingOrTooManyDoNoHarm() {
        assertThat(Reading.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"ping\", \"arguments\": {}"))
                .containsExactly("ping{}");
        assertThat(Reading.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"ping\", \"arguments\": {}}}\n</tool_call>"))
                .containsExactly("ping{}");
        assertThat(Reading.of(ToolStyle.HERMES, "<tool_call>{\"name\": \"ping\", \"arguments\": {}} </tool_"))
                .containsExactly("ping{}");
        assertThat(Reading.of(ToolStyle.MISTRAL_LIST, "[TOOL_CALLS][{\"name\": \"ping\", \"arguments\": {}}"))
                .containsExactly("ping{}");
        assertThat(Reading.of(ToolStyle.LLAMA_JSON, "{\"name\": \"ping\", \"parameters\": {}} Now I wait."))
                .containsExactly("ping{}", "text:Now I wait.");
    }

    @Test
    void nestingHasABound() {
        String deep = "{\"a\":".repeat(600);
        assertThat(Reading.read(
                                Reading.format(ToolStyle.HERMES, null).parser(Reading.TOOLS, ""),
                                List.of("<tool_call>{\"name\": \"ping\", \"arguments\": " + deep))
                        .parts())
                .hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(ToolStyle.class)
    void noTextThatIsNotACallIsLost(ToolStyle style) {
        String[] words = {
            "<tool_call>",
            "</tool_call>",
            "{\"name\": \"",
            "nobody",
            "\", \"arguments\": ",
            "{",
            "}",
            "[",
            "]",
            "[TOOL_CALLS]",
            "[ARGS]",
            "<function=",
            ">",
            "```tool_code",
            "(",
            "a=",
            "\"",
            "\n",
            "x",
            "<|python_tag|>",
            "<arg_key>",
            ";",
            "<"
        };
        Random random = new Random(7);
        for (int i = 0; i < 400; i++) {
            StringBuilder text = new StringBuilder("x".repeat(random.nextInt(2)));
            for (int n = random.nextInt(12); n >= 0; n--) {
                text.append(words[random.nextInt(words.length)]);
            }
            // No tool has a name that is in the text, so that all of it is text.
            assertThat(Reading.of(style, text.toString())).containsExactly("text:" + text);
        }
    }
}
