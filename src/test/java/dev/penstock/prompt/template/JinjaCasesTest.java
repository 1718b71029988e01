package dev.penstock.prompt.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.penstock.prompt.TemplateException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares with Jinja2 itself: {@code src/test/python/jinja_cases.py} made the cases.
 *
 * <p>Beyond these, 167 public chat templates were tried in the same way, which are not kept here: those that llama.cpp
 * keeps for its tests, those that the package trl ships, and vLLM's for Mistral 0.3 with tools; among them LLaMA 2, 3, 3.1,
 * 3.2 and 3.3, Gemma 1 to 4, Mistral 0.1 to 0.3, Nemo and Small, Mixtral, Qwen 2.5, 3 and 3.5, QwQ, Phi-3, 3.5 and 4,
 * GLM-4, 4.6 and 4.7, DeepSeek V2 to V4 and R1 with its distillations, SmolLM3, gpt-oss, Kimi K2, MiniMax M1 and M2,
 * Granite, Command R, Hermes 2 and 3. 512 conversations each, in the environment that transformers makes: with and without
 * system prompt, tools, calls and their results, documents, thinking, parts, empty and missing fields. All 85,504
 * renderings were alike, 26,181 errors included. So were 54,299 of 54,341 templates thrown together at random from all of
 * these constructs; what differed had to do with what {@link JinjaTemplate} lists, {@code dict.fromkeys}, printed addresses
 * of objects, or filters whose result is only worked out in part.
 */
class JinjaCasesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    record Case(String template, Map<String, Object> variables, String expected) {
        @Override
        public String toString() {
            return template;
        }
    }

    @SuppressWarnings("unchecked")
    static Stream<Case> cases() throws IOException {
        try (InputStream in = Objects.requireNonNull(JinjaCasesTest.class.getResourceAsStream("cases.json"))) {
            JsonNode cases = JSON.readTree(in);
            return StreamSupport.stream(cases.spliterator(), false)
                    .map(c -> new Case(
                            c.path("template").asText(),
                            JSON.convertValue(c.path("variables"), Map.class),
                            c.path("expected").isNull()
                                    ? "error"
                                    : "text: " + c.path("expected").asText()));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rendersAsJinja2Does(Case c) {
        String result;
        try {
            result = "text: "
                    + JinjaTemplate.compile(c.template, Clock.systemUTC()).render(c.variables);
        } catch (TemplateException e) {
            assertThat(e.line()).as(e.getMessage()).isPositive();
            assertThat(e.column()).as(e.getMessage()).isPositive();
            result = "error";
        }
        assertThat(result).isEqualTo(c.expected);
    }
}
