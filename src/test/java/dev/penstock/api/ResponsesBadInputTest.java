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
class ResponsesBadInputTest {
    @Inject
    ScriptedModels models;

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    @AfterEach
    void theServerStillAnswers() {
        assertThat(post("\"input\": \"Hi\"").statusCode()).isEqualTo(200);
    }

    private static Response post(String fields) {
        return given().contentType(ContentType.JSON)
                // As bytes: RestAssured would pretty-print a string, and die of a deep one.
                .body(("{\"model\": \"scripted\", " + fields + "}").getBytes(StandardCharsets.UTF_8))
                .post("/v1/responses");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        input | "input": 7
        input | "input": {}
        input | "input": []
        input | "temperature": 1
        input[0] | "input": ["a"]
        input[0].type | "input": [{"type": 7}]
        input[0].type | "input": [{"type": "item_reference", "id": "msg_1"}]
        input[0].type | "input": [{"type": "computer_call"}]
        input[0].role | "input": [{"content": "a"}]
        input[0].role | "input": [{"role": "tool", "content": "a"}]
        input[0].content | "input": [{"role": "user"}]
        input[0].content | "input": [{"role": "user", "content": 7}]
        input[0].content[0] | "input": [{"role": "user", "content": ["a"]}]
        input[0].content[0].type | "input": [{"role": "user", "content": [{"text": "a"}]}]
        input[0].content[0].type | "input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]
        input[0].content[0].type | "input": [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}]
        input[0].content[0].text | "input": [{"role": "user", "content": [{"type": "input_text", "text": 7}]}]
        input[0].call_id | "input": [{"type": "function_call", "name": "f", "arguments": "{}"}]
        input[0].arguments | "input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}]
        input[0].output | "input": [{"type": "function_call_output", "call_id": "c"}]
        input[0].output[0].type | "input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image"}]}]
        input[0].id | "input": [{"role": "user", "content": "a", "id": 7}]
        input | "input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]
        instructions | "input": "a", "instructions": ["b"]
        previous_response_id | "input": "a", "previous_response_id": 7
        previous_response_id | "input": "a", "previous_response_id": "resp_nothing"
        store | "input": "a", "store": "yes"
        stream | "input": "a", "stream": 1
        background | "input": "a", "background": 1
        background | "input": "a", "background": true, "stream": true
        background | "input": "a", "background": true, "store": false
        max_output_tokens | "input": "a", "max_output_tokens": 0
        max_output_tokens | "input": "a", "max_output_tokens": "5"
        max_tool_calls | "input": "a", "max_tool_calls": "5"
        temperature | "input": "a", "temperature": 2.5
        top_p | "input": "a", "top_p": "1"
        top_logprobs | "input": "a", "top_logprobs": 21
        include | "input": "a", "include": "message.output_text.logprobs"
        include[0] | "input": "a", "include": ["everything"]
        reasoning | "input": "a", "reasoning": "high"
        reasoning.effort | "input": "a", "reasoning": {"effort": "huge"}
        text | "input": "a", "text": "json"
        text.format | "input": "a", "text": {"format": "json"}
        text.format.type | "input": "a", "text": {"format": {"type": "xml"}}
        text.format.name | "input": "a", "text": {"format": {"type": "json_schema", "schema": {}}}
        text.format.schema | "input": "a", "text": {"format": {"type": "json_schema", "name": "n"}}
        text.verbosity | "input": "a", "text": {"verbosity": "high"}
        truncation | "input": "a", "truncation": "some"
        metadata | "input": "a", "metadata": [1]
        metadata.a | "input": "a", "metadata": {"a": 1}
        service_tier | "input": "a", "service_tier": "best"
        user | "input": "a", "user": 7
        safety_identifier | "input": "a", "safety_identifier": 7
        prompt_cache_key | "input": "a", "prompt_cache_key": 7
        conversation | "input": "a", "conversation": "conv_1"
        prompt | "input": "a", "prompt": {"id": "pmpt_1"}
        context_management | "input": "a", "context_management": [{"type": "compaction"}]
        moderation | "input": "a", "moderation": {}
        tools | "input": "a", "tools": {}
        tools[0].type | "input": "a", "tools": [{"type": "web_search"}]
        tools[0].type | "input": "a", "tools": [{"type": "file_search", "vector_store_ids": []}]
        tools[0].type | "input": "a", "tools": [{"type": "mcp", "server_label": "x"}]
        tools[0].name | "input": "a", "tools": [{"type": "function"}]
        tools[0].parameters | "input": "a", "tools": [{"type": "function", "name": "f", "parameters": []}]
        tools[0].strict | "input": "a", "tools": [{"type": "function", "name": "f", "strict": 1}]
        tool_choice | "input": "a", "tool_choice": "required"
        tool_choice.name | "input": "a", "tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "function", "name": "g"}
        tool_choice.type | "input": "a", "tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "web_search"}
        parallel_tool_calls | "input": "a", "parallel_tool_calls": 1
        """)
    void whatIsWrongIsNamed(String param, String fields) {
        JsonNode error = BadInputTest.error(post(fields), 400);

        assertThat(error.get("param").textValue()).isEqualTo(param);
    }

    @ParameterizedTest
    @ValueSource(strings = {"web_search", "code_interpreter", "image_generation"})
    void aToolThatIsNotHereIsNamed(String type) {
        JsonNode error = BadInputTest.error(post("\"input\": \"a\", \"tools\": [{\"type\": \"" + type + "\"}]"), 400);

        assertThat(error.get("message").textValue()).contains(type);
    }

    @Test
    void whatNobodyKnowsIsIgnored() {
        assertThat(post("\"input\": \"a\", \"new_this_month\": {\"a\": 1}, \"verbosity\": \"high\"")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void aModelThatIsNotHereIsNotFound() {
        Response response = given().contentType(ContentType.JSON)
                .body("{\"model\": \"nobody\", \"input\": \"a\"}")
                .post("/v1/responses");

        assertThat(BadInputTest.error(response, 404).get("code").textValue()).isEqualTo("model_not_found");
    }

    @Test
    void controlCharactersAndHalvesOfCharactersAreText() {
        assertThat(post("\"input\": \"a\\u0000\\u0007\\ud800 b\"").statusCode()).isEqualTo(200);
    }

    @Test
    void manyItemsAreReadInBoundedTime() {
        String item = "{\"role\": \"user\", \"content\": \"\"},";
        String items = "\"input\": [" + item.repeat(5_000) + "{\"role\": \"user\", \"content\": \"a\"}]";

        JsonNode error = BadInputTest.error(post("\"truncation\": \"disabled\", " + items), 400);
        assertThat(error.get("code").textValue()).isEqualTo("context_length_exceeded");
        assertThat(post("\"truncation\": \"auto\", " + items).statusCode()).isEqualTo(200);
    }
}
