package dev.penstock.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import dev.penstock.prompt.tokenizer.TestTokenizers;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PromptRendererTest {
    private static final List<Map<String, Object>> HELLO = List.of(Map.of("role", "user", "content", "hello"));

    private static HfTokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        tokenizer = HfTokenizer.of(TestTokenizers.byteLevel().toString());
    }

    @AfterAll
    static void free() {
        tokenizer.close();
    }

    @Test
    void theNamesOfTheModelsTokensAreVariables() {
        ServedModel model = model("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}");
        assertThat(render(model, HELLO)).isEqualTo("<|begin_of_text|>hello<|eot_id|>");
    }

    @Test
    void aModelWithoutATemplateTakesThePlainOne() {
        List<Map<String, Object>> messages = List.of(
                Map.of("role", "system", "content", "Be brief."), Map.of("role", "user", "content", "hello {{ 1 }}"));
        assertThat(render(model(null), messages)).isEqualTo("system: Be brief.\n\nuser: hello {{ 1 }}\n\nassistant:");
        assertThat(PromptRenderer.render(model(null), messages, Map.of(), false))
                .endsWith("user: hello {{ 1 }}\n\n");
        assertThatThrownBy(() -> render(model(null), List.of(Map.of("role", "user"))))
                .isInstanceOf(TemplateException.class);
    }

    @Test
    void theRenderedBeginTokenIsTheOnlyOneWhenEncodedAsItIs() {
        String text = render(model("{{ bos_token }}{{ messages[0].content }}"), HELLO);
        assertThat(tokenizer.encode(text, false)).containsExactly(265, 259);
    }

    @Test
    void furtherVariablesReachTheTemplateButReplaceNeitherMessagesNorTokens() {
        ServedModel model = model(
                "{{ enable_thinking }}{{ tools is none }}{{ messages | length }}{{ bos_token }}{{ add_generation_prompt }}");
        Map<String, Object> extra = Map.of("enable_thinking", false, "messages", List.of(), "bos_token", "x");
        assertThat(PromptRenderer.render(model, HELLO, extra, true)).isEqualTo("FalseTrue1<|begin_of_text|>True");
    }

    @Test
    void whatATemplateRefusesIsToldFromWhatItFailsOn() {
        ServedModel refusing =
                model("{% if messages[0].role == 'user' %}\n {{ raise_exception('no users') }}{% endif %}");
        assertThatThrownBy(() -> render(refusing, HELLO)).isInstanceOfSatisfying(TemplateException.class, e -> {
            assertThat(e.isRaisedByTemplate()).isTrue();
            assertThat(e).hasMessage("no users");
            assertThat(e.line()).isEqualTo(2);
        });
        ServedModel failing = model("ab\n  {{ messages[0].nothing.more }}");
        assertThatThrownBy(() -> render(failing, HELLO)).isInstanceOfSatisfying(TemplateException.class, e -> {
            assertThat(e.isRaisedByTemplate()).isFalse();
            assertThat(e).hasMessageContaining("line 2, column 26").hasMessageContaining("'nothing'");
        });
    }

    @Test
    void theClockIsWhatStrftimeNowShows() {
        Clock clock = Clock.fixed(Instant.parse("2026-03-04T15:06:07Z"), ZoneOffset.UTC);
        ChatTemplate template =
                ChatTemplates.of("{{ strftime_now('%d %b %Y|%A %-d %B|%H:%M:%S|%I %p|%y-%m|%a|%j|%F|%e|%%') }}", clock);
        assertThat(template.render(Map.of()))
                .isEqualTo("04 Mar 2026|Wednesday 4 March|15:06:07|03 PM|26-03|Wed|063|2026-03-04| 4|%");
    }

    @Test
    void llama2sFormatIsRendered() {
        ServedModel model = model("{% set system = '' %}{% if messages[0].role == 'system' %}"
                + "{% set system = '<<SYS>>\\n' ~ messages[0].content ~ '\\n<</SYS>>\\n\\n' %}{% set messages = messages[1:] %}{% endif %}"
                + "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ system if loop.first }}{{ m.content.strip() }} [/INST]"
                + "{% else %} {{ m.content.strip() }} {{ eos_token }}{% endif %}{% endfor %}");
        List<Map<String, Object>> messages = List.of(
                Map.of("role", "system", "content", "Be brief."),
                Map.of("role", "user", "content", "Hi "),
                Map.of("role", "assistant", "content", " Hello."),
                Map.of("role", "user", "content", "Bye"));
        assertThat(render(model, messages))
                .isEqualTo("<|begin_of_text|>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. <|eot_id|>"
                        + "<|begin_of_text|>[INST] Bye [/INST]");
    }

    @Test
    void llama3sFormatIsRendered() {
        ServedModel model = model(
                "{% for m in messages %}{{ bos_token if loop.first }}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
                        + "{{ m.content | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{{ '' }}{% endif %}");
        assertThat(render(model, HELLO))
                .isEqualTo("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>"
                        + "<|start_header_id|>assistant<|end_header_id|>\n\n");
    }

    private static String render(ServedModel model, List<Map<String, Object>> messages) {
        return PromptRenderer.render(model, messages, Map.of(), true);
    }

    private static ServedModel model(@Nullable String template) {
        return new ServedModel(
                "m",
                Instant.EPOCH,
                "f",
                tokenizer,
                new Constraints(tokenizer),
                DialogueFormat.detect(null, tokenizer, null),
                template == null ? null : ChatTemplates.of(template),
                "<|begin_of_text|>",
                "<|eot_id|>",
                Set.of(266),
                SamplingDefaults.NEUTRAL,
                100);
    }
}
