package dev.penstock.prompt.dialogue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.prompt.Tokenizer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A family is told from its template, its special tokens and its type. */
class DialogueFormatTest {
    private static final String TOOLS =
            "{%- if tools %}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{% endif %}";

    static Stream<Arguments> templates() {
        return Stream.of(
                Arguments.of(ToolStyle.HERMES, TOOLS + "<tool_call>\n{\"name\": …}\n</tool_call>", "qwen2"),
                Arguments.of(
                        ToolStyle.QWEN_XML,
                        TOOLS + "<tool_call>\n<function=f>\n<parameter=k>\n</parameter></function></tool_call>",
                        "qwen3_moe"),
                Arguments.of(ToolStyle.GLM_XML, TOOLS + "<tool_call>f\n<arg_key>k</arg_key></tool_call>", "glm4_moe"),
                Arguments.of(ToolStyle.GLM_LINES, TOOLS + "<|observation|>", "glm4"),
                Arguments.of(ToolStyle.MISTRAL_LIST, TOOLS + "{{ '[TOOL_CALLS][' }}", "mistral"),
                Arguments.of(ToolStyle.MISTRAL_ARGS, TOOLS + "{{ '[TOOL_CALLS]' + name + '[ARGS]' }}", "mistral"),
                Arguments.of(
                        ToolStyle.LLAMA_JSON,
                        "Environment: ipython{% if tools is not none %}{% endif %}{{ '\"parameters\": ' }}",
                        "llama"),
                Arguments.of(ToolStyle.PYTHONIC, TOOLS + "ipython [func_name1(params_name1=value)]", "llama4"),
                Arguments.of(ToolStyle.INSTRUCTED, "{{ messages[0].content }} use your tools", "llama"),
                Arguments.of(ToolStyle.INSTRUCTED, TOOLS + "<own_call>", "other"),
                Arguments.of(ToolStyle.GEMMA, "<start_of_turn>model\n", "gemma2"));
    }

    @ParameterizedTest
    @MethodSource("templates")
    void theTemplateTellsHowToolsAreCalled(ToolStyle style, String template, String modelType) {
        DialogueFormat format = DialogueFormat.detect(template, new Marks(Set.of(), Set.of()), modelType);
        assertThat(format.tools()).isEqualTo(style);
        assertThat(format.callsTools()).isTrue();
        assertThat(format.templateTakesTools()).isEqualTo(style != ToolStyle.INSTRUCTED && style != ToolStyle.GEMMA);
        assertThat(format.reasoning()).isNull();
    }

    @Test
    void withoutATemplateThereIsOnlyText() {
        DialogueFormat format = DialogueFormat.detect(null, new Marks(Set.of(), Set.of()), "llama");
        assertThat(format.callsTools()).isFalse();
        assertThat(format.templateTakesTools()).isFalse();
    }

    @Test
    void templateOrTokensTellWhetherTheModelReasons() {
        Marks none = new Marks(Set.of(), Set.of());
        Marks think = new Marks(Set.of("<think>", "</think>"), Set.of());
        assertThat(reasoning("{{ content.split('</think>')[-1] }}", none)).isEqualTo(ReasoningTags.THINK);
        assertThat(reasoning("x", think)).isEqualTo(ReasoningTags.THINK);
        assertThat(reasoning("[THINK]{{ x }}[/THINK]", none)).isEqualTo(ReasoningTags.BRACKETS);
        assertThat(reasoning("I think", none)).isNull();
    }

    @Test
    void marksThatAreSpecialTokensAreShown() {
        Marks tokenizer =
                new Marks(Set.of("</think>", "<tool_call>"), Set.of("[TOOL_CALLS]", "[THINK]", "[/THINK]", "[INST]"));
        DialogueFormat format =
                DialogueFormat.detect(TOOLS + "[TOOL_CALLS][ARGS][THINK][/THINK]", tokenizer, "mistral");
        assertThat(format.specialMarks()).containsExactlyInAnyOrder("[TOOL_CALLS]", "[THINK]", "[/THINK]");
        Set<Integer> ids = new HashSet<>();
        format.specialMarks().forEach(mark -> ids.add(tokenizer.id(mark).orElseThrow()));
        assertThat(format.shownTokens(tokenizer)).isEqualTo(ids);
    }

    @Test
    void idsOfCallsAreNewAndAsTheFamilyWantsThem() {
        DialogueFormat hermes = Reading.format(ToolStyle.HERMES, null);
        assertThat(hermes.newCallId()).matches("call_[a-zA-Z0-9]{24}").isNotEqualTo(hermes.newCallId());
        assertThat(Reading.format(ToolStyle.MISTRAL_LIST, null).newCallId()).matches("[a-zA-Z0-9]{9}");
    }

    @Test
    void instructionsNameEachToolAndSayHowToCallIt() {
        Tool plain = new Tool("now", null, Reading.PING.parameters(), false);
        assertThat(DialogueFormat.instructions(List.of(Reading.SEARCH, plain)))
                .contains(
                        "{\"name\":\"search\",\"description\":\"What search does.\",\"parameters\":{\"type\":\"object\"")
                .contains("{\"name\":\"now\",\"parameters\":{")
                .contains("<tool_call>\n{\"name\": ");
    }

    private static @Nullable ReasoningTags reasoning(String template, Tokenizer tokenizer) {
        return DialogueFormat.detect(template, tokenizer, null).reasoning();
    }

    /** A tokenizer of nothing but marks. */
    private record Marks(Map<String, Integer> ids, int plain) implements Tokenizer {
        Marks(Set<String> plain, Set<String> special) {
            this(number(plain, special), plain.size());
        }

        private static Map<String, Integer> number(Set<String> plain, Set<String> special) {
            Map<String, Integer> ids = new HashMap<>();
            Stream.concat(plain.stream(), special.stream()).forEach(mark -> ids.put(mark, ids.size()));
            return ids;
        }

        @Override
        public int[] encode(String text, boolean addSpecialTokens) {
            throw new AssertionError("formats encode nothing");
        }

        @Override
        public String decode(int[] tokens, boolean skipSpecialTokens) {
            throw new AssertionError("formats decode nothing");
        }

        @Override
        public byte[] bytes(int token) {
            throw new AssertionError("formats ask for no bytes");
        }

        @Override
        public boolean isSpecial(int token) {
            return token >= plain;
        }

        @Override
        public OptionalInt id(String token) {
            Integer id = ids.get(token);
            return id == null ? OptionalInt.empty() : OptionalInt.of(id);
        }

        @Override
        public int vocabSize() {
            return ids.size();
        }
    }
}
