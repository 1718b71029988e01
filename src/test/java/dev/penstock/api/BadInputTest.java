package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class BadInputTest {
    private static final String MESSAGES = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]";

    @Inject
    ScriptedModels models;

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    @AfterEach
    void theServerStillAnswers() {
        assertThat(chat("{\"model\": \"scripted\", " + MESSAGES + "}").statusCode())
                .isEqualTo(200);
    }

    private static Response chat(String body) {
        return given().contentType(ContentType.JSON)
                // As bytes: RestAssured would pretty-print a string, and die of a deep one.
                .body(body.getBytes(StandardCharsets.UTF_8))
                .post("/v1/chat/completions");
    }

    private static Response completion(String body) {
        return given().contentType(ContentType.JSON).body(body).post("/v1/completions");
    }

    static JsonNode error(Response response, int status) {
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(status);
        assertThat(response.contentType()).startsWith("application/json");
        JsonNode error = Sse.parse(response.asString()).get("error");
        assertThat(error.properties().stream().map(java.util.Map.Entry::getKey))
                .containsExactlyInAnyOrder("message", "type", "param", "code");
        assertThat(error.get("message").textValue()).isNotBlank();
        assertThat(error.get("type").isTextual()).isTrue();
        assertThat(error.get("code").isTextual() || error.get("code").isNull()).isTrue();
        return error;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        temperature | "0.5"
        temperature | true
        temperature | -0.1
        temperature | 2.1
        temperature | 1e999
        temperature | [1]
        top_p | 1.5
        top_p | "1"
        top_k | -2
        top_k | 1.5
        min_p | 2
        repetition_penalty | 0
        frequency_penalty | 3
        presence_penalty | -3
        presence_penalty | "high"
        logit_bias | [1]
        logit_bias | {"x": 1}
        logit_bias | {"-1": 1}
        logit_bias | {"65": 101}
        logit_bias | {"65": "1"}
        logit_bias | {"258": 1}
        seed | 1.5
        seed | "1"
        seed | 9223372036854775808
        max_tokens | 0
        max_tokens | -5
        max_tokens | 5.0
        max_tokens | "5"
        max_tokens | 99999999999
        max_completion_tokens | 0
        max_completion_tokens | 1e2
        min_tokens | -1
        ignore_eos | 1
        ignore_eos | "true"
        n | 0
        n | -1
        n | 129
        n | 1.0
        stream | "true"
        stream | 1
        stop | ["1", "2", "3", "4", "5"]
        stop | [1]
        stop | 7
        stop | ""
        stop | [""]
        stop_token_ids | [-1]
        stop_token_ids | ["1"]
        stop_token_ids | [258]
        logprobs | 1
        logprobs | "true"
        top_logprobs | 5
        chat_template_kwargs | []
        stream_options | {"include_usage": true}
        messages | null
        messages | []
        messages | {}
        messages | "Hi"
        """)
    void aWrongValueIsRefusedByName(String field, String value) {
        String others = field.equals("messages") ? "" : MESSAGES + ", ";
        JsonNode error = error(chat("{\"model\": \"scripted\", " + others + "\"" + field + "\": " + value + "}"), 400);

        assertThat(error.get("param").textValue()).isEqualTo(field);
        assertThat(error.get("type").textValue()).isEqualTo("invalid_request_error");
        assertThat(error.get("message").textValue()).contains("'" + field);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        messages[0] | "Hi"
        messages[0].role | {"content": "Hi"}
        messages[0].role | {"role": 1, "content": "Hi"}
        messages[0].role | {"role": "robot", "content": "Hi"}
        messages[0].content | {"role": "user"}
        messages[0].content | {"role": "user", "content": null}
        messages[0].content | {"role": "user", "content": 7}
        messages[0].content[0] | {"role": "user", "content": ["a"]}
        messages[0].content[0].type | {"role": "user", "content": [{"text": "a"}]}
        messages[0].content[0].text | {"role": "user", "content": [{"type": "text"}]}
        messages[0].content[1].type | {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}]}
        messages[0].content[0].type | {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}
        messages[0].name | {"role": "user", "content": "Hi", "name": 1}
        """)
    void aWrongMessageIsRefusedByItsPlace(String param, String message) {
        JsonNode error = error(chat("{\"model\": \"scripted\", \"messages\": [" + message + "]}"), 400);

        assertThat(error.get("param").textValue()).isEqualTo(param);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        audio | {"voice": "alloy", "format": "wav"}
        modalities | ["text", "audio"]
        web_search_options | {}
        store | true
        chat_template | "{{ messages }}"
        continue_final_message | true
        mirostat | 2
        """)
    void whatCannotBeHonouredIsRefusedByName(String field, String value) {
        JsonNode error =
                error(chat("{\"model\": \"scripted\", " + MESSAGES + ", \"" + field + "\": " + value + "}"), 400);

        assertThat(error.get("param").textValue()).isEqualTo(field);
        assertThat(error.get("code").textValue()).isEqualTo("unsupported_parameter");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"tools\": []",
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\"}}], \"tool_choice\": \"none\"",
                "\"tool_choice\": \"auto\"",
                "\"response_format\": {\"type\": \"text\"}",
                "\"modalities\": [\"text\"]",
                "\"store\": false",
                "\"stop\": null, \"n\": null, \"temperature\": null, \"tools\": null, \"logit_bias\": null",
                "\"user\": \"u\", \"metadata\": {\"a\": \"b\"}, \"service_tier\": \"auto\", \"prompt_cache_key\": \"k\"",
                "\"priority\": 3, \"cache_prompt\": false, \"parallel_tool_calls\": true",
                "\"invented_next_month\": {\"deep\": [1, 2, {\"x\": null}]}"
            })
    void whatAsksForNothingIsIgnored(String fields) {
        assertThat(chat("{\"model\": \"scripted\", " + MESSAGES + ", " + fields + "}")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void anUnknownModelIsNotFound() {
        JsonNode error = error(chat("{\"model\": \"gpt-9\", " + MESSAGES + "}"), 404);

        assertThat(error.get("code").textValue()).isEqualTo("model_not_found");
        assertThat(error.get("param").textValue()).isEqualTo("model");
        assertThat(error.get("message").textValue()).contains("gpt-9");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\"model\": null,", "\"model\": 7,"})
    void aRequestMustNameItsModel(String model) {
        assertThat(error(chat("{" + model + MESSAGES + "}"), 400).get("param").textValue())
                .isEqualTo("model");
    }

    @ParameterizedTest
    @ValueSource(ints = {ScriptedModels.CONTEXT, 5_000, 250_000})
    void aPromptLongerThanTheContextIsRefused(int chars) {
        String text = "a".repeat(chars);

        JsonNode chat = error(
                chat("{\"model\": \"scripted\", \"messages\": [{\"role\": \"user\", \"content\": \"" + text + "\"}]}"),
                400);
        assertThat(chat.get("code").textValue()).isEqualTo("context_length_exceeded");
        assertThat(chat.get("param").textValue()).isEqualTo("messages");
        assertThat(chat.get("message").textValue()).contains(Integer.toString(ScriptedModels.CONTEXT));

        JsonNode completion = error(completion("{\"model\": \"scripted\", \"prompt\": \"" + text + "\"}"), 400);
        assertThat(completion.get("code").textValue()).isEqualTo("context_length_exceeded");
        assertThat(completion.get("param").textValue()).isEqualTo("prompt");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "   ",
                "{",
                "{\"model\": \"scripted\"",
                "{\"model\": 'scripted'}",
                "{\"model\": NaN}",
                "{} {}",
                "{}x",
                "[]",
                "null",
                "\"text\"",
                "{\"model\": \"scripted\", \"model\": \"scripted\"}",
            })
    void whatIsNoJsonObjectIsRefused(String body) {
        JsonNode error = error(chat(body), 400);

        assertThat(error.get("param").isNull()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1_000, 100_000})
    void deepJsonIsRefused(int depth) {
        String deep = "{\"model\": \"scripted\", \"x\": " + "[".repeat(depth) + "]".repeat(depth) + "}";

        assertThat(error(chat(deep), 400).get("message").textValue()).contains("depth");
    }

    @Test
    void whatIsNoUtf8IsRefused() {
        byte[] body = ("{\"model\": \"scripted\", \"messages\": [{\"role\": \"user\", \"content\": \"\u00FF\"}]}")
                .getBytes(StandardCharsets.ISO_8859_1);

        error(
                given().config(io.restassured.RestAssured.config()
                                .encoderConfig(io.restassured.config.EncoderConfig.encoderConfig()
                                        .appendDefaultContentCharsetToContentTypeIfUndefined(false)))
                        .header("Content-Type", "application/json")
                        .body(body)
                        .post("/v1/chat/completions"),
                400);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        prompt | "prompt": null
        prompt | "prompt": []
        prompt | "prompt": 7
        prompt | "prompt": [1.5]
        prompt | "prompt": [-1]
        prompt | "prompt": [258]
        prompt | "prompt": [1, "a"]
        prompt[1] | "prompt": ["a", 1]
        prompt[1] | "prompt": [[1], "a"]
        prompt[1] | "prompt": ["a", [1]]
        prompt[1] | "prompt": [[1], []]
        prompt | "prompt": "", "add_special_tokens": false
        logprobs | "prompt": "a", "logprobs": true
        logprobs | "prompt": "a", "logprobs": 21
        logprobs | "prompt": "a", "logprobs": -1
        suffix | "prompt": "a", "suffix": "b"
        best_of | "prompt": "a", "best_of": "2"
        best_of | "prompt": "a", "best_of": 2, "stream": true
        best_of | "prompt": "a", "best_of": 2, "n": 3
        echo | "prompt": "a", "echo": 1
        max_tokens | "prompt": "a", "echo": true, "max_tokens": -1
        suffix | "prompt": "a", "suffix": 1
        max_tokens | "prompt": "a", "max_tokens": 0
        min_tokens | "prompt": "a", "max_tokens": 3, "min_tokens": 4
        prompt | "prompt": ["a", "b", "c"], "n": 128
        """)
    void aWrongCompletionIsRefusedByName(String param, String fields) {
        JsonNode error = error(completion("{\"model\": \"scripted\", " + fields + "}"), 400);

        assertThat(error.get("param").textValue()).isEqualTo(param);
    }
}
