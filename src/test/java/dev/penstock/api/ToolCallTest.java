package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.OutputFollower;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of tools and reasoning in chats, plain and streamed, and the older form of functions. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ToolCallTest {
    private static final String WEATHER = """
            {"name": "weather", "description": "Tells the weather", "parameters": {"type": "object",
             "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}""";
    private static final String TOOLS = "\"tools\": [{\"type\": \"function\", \"function\": " + WEATHER + "}]";
    private static final String CALL =
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\"}}\n</tool_call>";

    /** Nothing here counts the items of an array that follow a schema. */
    static final String UNENFORCEABLE = """
            {"type": "object", "properties": {"x": {"type": "array", "contains": {"type": "null"}, "minContains": 2}}}""";

    private static final String CITY = """
            {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
             "additionalProperties": false}""";

    @Inject
    ScriptedModels models;

    @BeforeEach
    void reset() {
        models.chat().reset();
        models.thinker().reset();
        models.plain().reset();
    }

    private static Response post(String model, String fields) {
        return given().contentType(ContentType.JSON)
                .body("{\"model\": \"" + model + "\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], "
                        + fields + "}")
                .post("/v1/chat/completions");
    }

    private static JsonNode plain(String model, String fields) {
        Response response = post(model, fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return Sse.parse(response.asString());
    }

    private static List<JsonNode> stream(String model, String fields) {
        Response response = post(model, "\"stream\": true, " + fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return Sse.chunks(response.asString());
    }

    /** A text in pieces of three characters. */
    private static Script says(String text) {
        List<String> pieces = new ArrayList<>();
        for (int i = 0; i < text.length(); i += 3) {
            pieces.add(text.substring(i, Math.min(i + 3, text.length())));
        }
        return Script.says(pieces.toArray(String[]::new));
    }

    @Test
    void aCallIsToldApartFromText() throws InterruptedException {
        models.chat().play(says(CALL).ends(FinishReason.STOP));

        JsonNode choice = plain("scripted", TOOLS).at("/choices/0");

        assertThat(choice.get("finish_reason").textValue()).isEqualTo("tool_calls");
        assertThat(choice.at("/message/content").isNull()).isTrue();
        JsonNode call = choice.at("/message/tool_calls/0");
        assertThat(call.get("id").textValue()).isNotBlank();
        assertThat(call.get("type").textValue()).isEqualTo("function");
        assertThat(call.at("/function/name").textValue()).isEqualTo("weather");
        assertThat(Sse.parse(call.at("/function/arguments").textValue())
                        .get("city")
                        .textValue())
                .isEqualTo("Köln");
        assertThat(prompt(models.chat().request())).contains("{tools 1}");
    }

    @Test
    void aStreamedCallBeginsWithItsNameAndGoesOnWithPiecesOfItsArguments() {
        models.chat().play(says("Let me look.\n" + CALL + "\n" + CALL).ends(FinishReason.STOP));

        List<JsonNode> chunks = stream("scripted", TOOLS);

        StringBuilder text = new StringBuilder();
        List<StringBuilder> arguments = List.of(new StringBuilder(), new StringBuilder());
        List<String> ids = new ArrayList<>();
        for (JsonNode chunk : chunks) {
            JsonNode delta = chunk.at("/choices/0/delta");
            text.append(delta.path("content").asText(""));
            for (JsonNode call : delta.path("tool_calls")) {
                int index = call.get("index").intValue();
                arguments.get(index).append(call.at("/function/arguments").textValue());
                if (call.has("id")) {
                    assertThat(index).isEqualTo(ids.size());
                    assertThat(call.at("/function/name").textValue()).isEqualTo("weather");
                    assertThat(call.get("type").textValue()).isEqualTo("function");
                    ids.add(call.get("id").textValue());
                } else {
                    assertThat(call.get("function").has("name")).isFalse();
                }
            }
        }
        assertThat(text.toString().strip()).isEqualTo("Let me look.");
        assertThat(ids).hasSize(2).doesNotHaveDuplicates();
        assertThat(arguments)
                .allSatisfy(a -> assertThat(Sse.parse(a.toString()).get("city").textValue())
                        .isEqualTo("Köln"));
        assertThat(chunks.getLast().at("/choices/0/finish_reason").textValue()).isEqualTo("tool_calls");
        assertThat(chunks.getLast().at("/choices/0/delta").isEmpty()).isTrue();
    }

    @Test
    void withoutToolsNothingIsACall() {
        models.chat().play(says(CALL).ends(FinishReason.STOP));

        JsonNode choice =
                plain("scripted", TOOLS + ", \"tool_choice\": \"none\"").at("/choices/0");

        assertThat(choice.at("/message/content").textValue()).isEqualTo(CALL);
        assertThat(choice.get("message").has("tool_calls")).isFalse();
        assertThat(choice.get("finish_reason").textValue()).isEqualTo("stop");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"required\"",
                "{\"type\": \"function\", \"function\": {\"name\": \"weather\"}}",
                "{\"type\": \"allowed_tools\", \"allowed_tools\": {\"mode\": \"required\", \"tools\": [{\"type\": \"function\","
                        + " \"function\": {\"name\": \"weather\"}}]}}"
            })
    void aCallThatIsDemandedIsEnforced(String choice) throws InterruptedException {
        models.chat().play(says(CALL).ends(FinishReason.STOP));

        plain("scripted", TOOLS + ", \"tool_choice\": " + choice);

        assertThat(models.chat().request().sampling().constraint()).isNotNull();
    }

    @Test
    void theOlderFormIsAnsweredInTheOlderForm() throws InterruptedException {
        models.chat().play(says(CALL).ends(FinishReason.STOP), says(CALL).ends(FinishReason.STOP));
        String functions = "\"functions\": [" + WEATHER + "]";

        JsonNode choice = plain("scripted", functions + ", \"function_call\": {\"name\": \"weather\"}")
                .at("/choices/0");
        List<JsonNode> chunks = stream("scripted", functions);

        assertThat(models.chat().request().sampling().constraint()).isNotNull();
        assertThat(choice.get("finish_reason").textValue()).isEqualTo("function_call");
        assertThat(choice.at("/message/function_call/name").textValue()).isEqualTo("weather");
        assertThat(choice.at("/message/function_call/arguments").textValue()).contains("Köln");
        StringBuilder arguments = new StringBuilder();
        chunks.forEach(c -> arguments.append(
                c.at("/choices/0/delta/function_call/arguments").asText("")));
        assertThat(Sse.parse(arguments.toString()).get("city").textValue()).isEqualTo("Köln");
        assertThat(chunks.getLast().at("/choices/0/finish_reason").textValue()).isEqualTo("function_call");
    }

    @Test
    void reasoningIsSplitOffAndCounted() {
        models.thinker()
                .play(
                        Script.says("<think>", "I should", " greet.", "</think>", "\n\n", "Hello!")
                                .ends(FinishReason.STOP),
                        Script.says("<think>", "I should", " greet.", "</think>", "\n\n", "Hello!")
                                .ends(FinishReason.STOP));

        JsonNode reply = plain("thinker", "\"n\": 1");
        List<JsonNode> chunks = stream("thinker", "\"n\": 1");

        assertThat(reply.at("/choices/0/message/content").textValue()).isEqualTo("Hello!");
        assertThat(reply.at("/choices/0/message/reasoning_content").textValue().strip())
                .isEqualTo("I should greet.");
        assertThat(reply.at("/usage/completion_tokens_details/reasoning_tokens").intValue())
                .isBetween(3, 5);
        StringBuilder text = new StringBuilder();
        StringBuilder reasoning = new StringBuilder();
        chunks.forEach(c -> {
            text.append(c.at("/choices/0/delta/content").asText(""));
            reasoning.append(c.at("/choices/0/delta/reasoning_content").asText(""));
        });
        assertThat(text.toString()).isEqualTo("Hello!");
        assertThat(reasoning.toString().strip()).isEqualTo("I should greet.");
    }

    @Test
    void resultsOfToolsComeToTheModel() throws InterruptedException {
        String conversation = """
                {"model": "scripted", "messages": [
                 {"role": "user", "content": "Weather?"},
                 {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
                   "function": {"name": "weather", "arguments": "{\\"city\\": \\"Bonn\\"}"}}]},
                 {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "sunny"}]}]}""";

        Response response =
                given().contentType(ContentType.JSON).body(conversation).post("/v1/chat/completions");

        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        assertThat(prompt(models.chat().request())).contains("[tool]sunny");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        tools | "tools": 1
        tools[0] | "tools": [1]
        tools[0].type | "tools": [{"function": {"name": "f"}}]
        tools[0].type | "tools": [{"type": "web_search"}]
        tools[0].function | "tools": [{"type": "function"}]
        tools[0].function.name | "tools": [{"type": "function", "function": {}}]
        tools[0].function.parameters | "tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]
        tools[0].function.strict | "tools": [{"type": "function", "function": {"name": "f", "strict": 1}}]
        functions[0].name | "functions": [{}]
        tool_choice | "tool_choice": "required"
        tool_choice | "tool_choice": "always"
        tool_choice | "tool_choice": 7
        tool_choice.function.name | "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"type": "function", "function": {"name": "g"}}
        parallel_tool_calls | "parallel_tool_calls": "yes"
        """)
    void wrongToolsAreRefusedByTheirPlace(String param, String fields) {
        Response response = post("scripted", fields);

        assertThat(response.statusCode()).as(response.asString()).isEqualTo(400);
        assertThat(Sse.parse(response.asString()).at("/error/param").textValue())
                .isEqualTo(param);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\"}}, {\"type\": \"function\", \"function\":"
                        + " {\"name\": \"f\"}}]",
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"a b\"}}]",
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"\\ud800\"}}]",
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"\"}}]"
            })
    void namesOfToolsAreChecked(String fields) {
        Response response = post("scripted", fields);

        assertThat(response.statusCode()).as(response.asString()).isEqualTo(400);
        assertThat(Sse.parse(response.asString()).at("/error/param").textValue())
                .startsWith("tools[");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"role\": \"tool\", \"content\": \"42\", \"tool_call_id\": \"a\"}",
                "{\"role\": \"function\", \"content\": \"42\", \"name\": \"f\"}",
                "{\"role\": \"tool\", \"content\": \"42\"}",
                "{\"role\": \"assistant\", \"tool_calls\": [{\"id\": \"a\", \"type\": \"function\"}]}",
                "{\"role\": \"assistant\", \"tool_calls\": [{\"type\": \"function\", \"function\": {\"name\": \"f\","
                        + " \"arguments\": \"{}\"}}]}",
                "{\"role\": \"assistant\", \"tool_calls\": [{\"id\": \"a\", \"type\": \"function\", \"function\": {\"name\":"
                        + " \"f\", \"arguments\": {}}}]}",
                "{\"role\": \"assistant\", \"tool_calls\": 1}"
            })
    void aResultWithoutItsCallIsRefused(String message) {
        Response response = given().contentType(ContentType.JSON)
                .body("{\"model\": \"scripted\", \"messages\": [" + message + "]}")
                .post("/v1/chat/completions");

        assertThat(response.statusCode()).as(response.asString()).isEqualTo(400);
        assertThat(Sse.parse(response.asString()).at("/error/param").textValue())
                .startsWith("messages[0]");
    }

    private static String tool(String name, String strict, String schema) {
        return "{\"type\": \"function\", \"function\": {\"name\": \"" + name + "\", \"strict\": " + strict
                + ", \"parameters\": " + schema + "}}";
    }

    static String wholeCall(String name, String arguments) {
        return "<tool_call>\n{\"name\": \"" + name + "\", \"arguments\": " + arguments + "}\n</tool_call>";
    }

    /** Whether the next request's completion may be this text. */
    static boolean allows(ScriptedBackend model, String text) throws InterruptedException {
        OutputFollower follower =
                Objects.requireNonNull(model.request().sampling().constraint()).follow();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            int token = b & 0xFF;
            if (!BitSet.valueOf(follower.allowed()).get(token)) {
                return false;
            }
            follower.accept(token);
        }
        return follower.mayEnd();
    }

    @Test
    void aSchemaThatCanNotBeEnforcedTakesAnyObjectWhereItNeedNotBe() throws InterruptedException {
        String tools = "\"tool_choice\": \"required\", \"tools\": [" + tool("any", "false", UNENFORCEABLE) + ", "
                + tool("city", "false", CITY) + "]";
        for (int i = 0; i < 3; i++) {
            plain("scripted", tools);
        }

        assertThat(allows(models.chat(), wholeCall("any", "{\"x\": [1]}"))).isTrue();
        assertThat(allows(models.chat(), wholeCall("any", "7"))).isFalse();
        // The other one is held to its schema all the same.
        assertThat(allows(models.chat(), wholeCall("city", "{\"x\": [1]}"))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"auto\"", "\"required\""})
    void aSchemaThatCanNotBeEnforcedIsRefusedWhereItIsStrict(String choice) {
        Response response = post(
                "scripted",
                "\"tool_choice\": " + choice + ", \"tools\": [" + tool("city", "false", CITY) + ", "
                        + tool("any", "true", UNENFORCEABLE) + "]");

        assertThat(response.statusCode()).as(response.asString()).isEqualTo(400);
        JsonNode error = Sse.parse(response.asString()).get("error");
        assertThat(error.get("param").textValue()).isEqualTo("tools");
        assertThat(error.get("message").textValue()).contains("'contains'");
    }

    @Test
    void aModelWithoutATemplateRefusesTools() {
        Response response = post("lab/plain", TOOLS);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(Sse.parse(response.asString()).at("/error/param").textValue())
                .isEqualTo("tools");
    }

    private static String prompt(GenerationRequest request) {
        return new ByteTokenizer().decode(request.promptTokens(), false);
    }
}
