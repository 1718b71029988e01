package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationRequest;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code /v1/messages} as Anthropic's API is documented. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class MessagesTest {
    private static final String HI = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]";
    private static final String MAX = "\"max_tokens\": 20, ";
    private static final String TOOLS = """
            , "tools": [{"name": "weather", "description": "Tells the weather", "input_schema": {"type": "object",
              "properties": {"city": {"type": "string"}}, "required": ["city"]}}]""";
    private static final String CALL =
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\"}}\n</tool_call>";

    @Inject
    ScriptedModels models;

    @TestHTTPResource
    URI url;

    @BeforeEach
    void reset() {
        models.chat().reset();
        models.thinker().reset();
    }

    private static Response post(String path, String model, String fields) {
        return given().contentType(ContentType.JSON)
                .header("anthropic-version", "2023-06-01")
                .header("x-api-key", "none")
                .body(("{\"model\": \"" + model + "\", " + fields + "}").getBytes(StandardCharsets.UTF_8))
                .post("/v1/messages" + path);
    }

    private static JsonNode create(String model, String fields) {
        Response response = post("", model, fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return Sse.parse(response.asString());
    }

    private static List<JsonNode> stream(String model, String fields) {
        Response response = post("", model, "\"stream\": true, " + fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        assertThat(response.contentType()).isEqualTo("text/event-stream;charset=utf-8");
        return Sse.named(response.asString());
    }

    private static JsonNode error(Response response, int status) {
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(status);
        JsonNode json = Sse.parse(response.asString());
        assertThat(json.get("type").textValue()).isEqualTo("error");
        assertThat(keys(json)).containsExactlyInAnyOrder("type", "error");
        assertThat(keys(json.get("error"))).containsExactlyInAnyOrder("type", "message");
        assertThat(json.at("/error/message").textValue()).isNotBlank();
        return json.get("error");
    }

    private static List<String> keys(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).toList();
    }

    private static List<String> types(List<JsonNode> events) {
        return events.stream().map(e -> e.get("type").textValue()).toList();
    }

    private static String prompt(GenerationRequest request) {
        return new ByteTokenizer().decode(request.promptTokens(), true);
    }

    private static Script says(String text, FinishReason how) {
        List<String> pieces = new ArrayList<>();
        for (int i = 0; i < text.length(); i += 3) {
            pieces.add(text.substring(i, Math.min(i + 3, text.length())));
        }
        return Script.says(pieces.toArray(String[]::new)).ends(how);
    }

    @Test
    void aReplyHasTheFieldsOfAMessage() throws InterruptedException {
        models.chat()
                .play(Script.says("Grüße", ", Welt").ends(FinishReason.STOP).cached(4));

        JsonNode reply = create(
                "scripted",
                MAX + "\"system\": [{\"type\": \"text\", \"text\": \"Be kind\"}], \"temperature\": 0.5, \"top_k\": 7, "
                        + HI);

        GenerationRequest request = models.chat().request();
        assertThat(prompt(request)).isEqualTo("<s>[system]Be kind\n[user]Hi\n[assistant]");
        assertThat(request.sampling().temperature()).isEqualTo(0.5f);
        assertThat(request.sampling().topK()).isEqualTo(7);
        assertThat(request.sampling().maxTokens()).isEqualTo(20);
        assertThat(keys(reply))
                .containsExactlyInAnyOrder(
                        "id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage");
        assertThat(reply.get("id").textValue()).startsWith("msg_");
        assertThat(reply.get("type").textValue()).isEqualTo("message");
        assertThat(reply.get("role").textValue()).isEqualTo("assistant");
        assertThat(reply.get("model").textValue()).isEqualTo("scripted");
        assertThat(reply.get("content")).hasSize(1);
        assertThat(reply.at("/content/0/type").textValue()).isEqualTo("text");
        assertThat(reply.at("/content/0/text").textValue()).isEqualTo("Grüße, Welt");
        assertThat(reply.get("stop_reason").textValue()).isEqualTo("end_turn");
        assertThat(reply.get("stop_sequence").isNull()).isTrue();
        int prompt = request.promptTokens().length;
        assertThat(reply.at("/usage/input_tokens").intValue()).isEqualTo(prompt - 4);
        assertThat(reply.at("/usage/cache_read_input_tokens").intValue()).isEqualTo(4);
        assertThat(reply.at("/usage/cache_creation_input_tokens").intValue()).isZero();
        assertThat(reply.at("/usage/output_tokens").intValue()).isEqualTo(2);
    }

    @Test
    void aStreamHasTheEventsOfAMessage() {
        models.chat().play(Script.says("Grüße", ", Welt").ends(FinishReason.STOP));

        List<JsonNode> events = stream("scripted", MAX + HI);

        assertThat(types(events).stream().distinct())
                .containsExactly(
                        "message_start",
                        "content_block_start",
                        "content_block_delta",
                        "content_block_stop",
                        "message_delta",
                        "message_stop");
        JsonNode start = events.getFirst().get("message");
        assertThat(start.get("content").isEmpty()).isTrue();
        assertThat(start.get("stop_reason").isNull()).isTrue();
        assertThat(start.at("/usage/input_tokens").intValue()).isPositive();
        assertThat(start.get("id").textValue()).startsWith("msg_");
        assertThat(events.get(1).at("/content_block/type").textValue()).isEqualTo("text");
        assertThat(events.get(1).at("/content_block/text").textValue()).isEmpty();
        StringBuilder text = new StringBuilder();
        events.stream().filter(e -> e.has("delta") && e.has("index")).forEach(e -> {
            assertThat(e.get("index").intValue()).isZero();
            assertThat(e.at("/delta/type").textValue()).isEqualTo("text_delta");
            text.append(e.at("/delta/text").textValue());
        });
        assertThat(text.toString()).isEqualTo("Grüße, Welt");
        JsonNode last = events.get(events.size() - 2);
        assertThat(last.at("/delta/stop_reason").textValue()).isEqualTo("end_turn");
        assertThat(last.at("/delta/stop_sequence").isNull()).isTrue();
        assertThat(last.at("/usage/output_tokens").intValue()).isEqualTo(2);
    }

    @Test
    void whyItEndsIsSaid() throws InterruptedException {
        models.chat()
                .play(
                        Script.says("a").ends(FinishReason.LENGTH),
                        Script.says("a").stopsAt("END"),
                        Script.says("a").stopsAt("\n\nuser:"));
        String stops = MAX + "\"stop_sequences\": [\"END\"], " + HI;

        assertThat(create("scripted", stops).get("stop_reason").textValue()).isEqualTo("max_tokens");
        assertThat(models.chat().request().sampling().stop()).containsExactly("END");
        JsonNode stopped = create("scripted", stops);
        assertThat(stopped.get("stop_reason").textValue()).isEqualTo("stop_sequence");
        assertThat(stopped.get("stop_sequence").textValue()).isEqualTo("END");
        // One that the model's template asks for is none of the caller's.
        assertThat(create("scripted", stops).get("stop_reason").textValue()).isEqualTo("end_turn");
    }

    @Test
    void thoughtsAndCallsAreBlocksOfTheirOwn() throws InterruptedException {
        String said = "<think>I should look.</think>\n\nLet me see.\n" + CALL;
        models.thinker().play(says(said, FinishReason.STOP), says(said, FinishReason.STOP));
        String fields =
                "\"max_tokens\": 90, \"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 1024}, " + HI + TOOLS;

        JsonNode reply = create("thinker", fields);
        List<JsonNode> events = stream("thinker", fields);

        assertThat(reply.get("stop_reason").textValue()).isEqualTo("tool_use");
        assertThat(reply.get("content")).hasSize(3);
        assertThat(reply.at("/content/0/type").textValue()).isEqualTo("thinking");
        assertThat(reply.at("/content/0/thinking").textValue().strip()).isEqualTo("I should look.");
        assertThat(reply.at("/content/0/signature").isTextual()).isTrue();
        assertThat(reply.at("/content/1/text").textValue().strip()).isEqualTo("Let me see.");
        assertThat(reply.at("/content/2/type").textValue()).isEqualTo("tool_use");
        assertThat(reply.at("/content/2/id").textValue()).isNotBlank();
        assertThat(reply.at("/content/2/name").textValue()).isEqualTo("weather");
        assertThat(reply.at("/content/2/input/city").textValue()).isEqualTo("Köln");
        List<String> kinds = new ArrayList<>();
        List<StringBuilder> deltas = new ArrayList<>();
        for (JsonNode event : events) {
            switch (event.get("type").textValue()) {
                case "content_block_start" -> {
                    assertThat(event.get("index").intValue()).isEqualTo(kinds.size());
                    kinds.add(event.at("/content_block/type").textValue());
                    deltas.add(new StringBuilder());
                }
                case "content_block_delta" -> {
                    JsonNode delta = event.get("delta");
                    deltas.get(event.get("index").intValue())
                            .append(delta.path("thinking").asText(""))
                            .append(delta.path("text").asText(""))
                            .append(delta.path("partial_json").asText(""));
                }
                default -> {}
            }
        }
        assertThat(kinds).containsExactly("thinking", "text", "tool_use");
        assertThat(deltas.get(0).toString().strip()).isEqualTo("I should look.");
        assertThat(deltas.get(1).toString().strip()).isEqualTo("Let me see.");
        assertThat(Sse.parse(deltas.get(2).toString()).get("city").textValue()).isEqualTo("Köln");
        assertThat(events.get(events.size() - 2).at("/delta/stop_reason").textValue())
                .isEqualTo("tool_use");
    }

    @Test
    void blocksOfEveryKindComeToTheModel() throws InterruptedException {
        create("scripted", """
                "max_tokens": 9, "messages": [
                  {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
                  {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Look", "signature": "x"},
                    {"type": "redacted_thinking", "data": "x"},
                    {"type": "text", "text": "One moment."},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bonn"}}]},
                  {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "sunny"}]},
                    {"type": "text", "text": "So?"}]},
                  {"role": "user", "content": "Well?"}]""" + TOOLS);

        assertThat(prompt(models.chat().request()))
                .isEqualTo("<s>[user]Weather?\n[assistant]One moment.\n[tool]sunny\n[user]So?\n\nWell?\n"
                        + "{tools 1}[assistant]");
    }

    @Test
    void aToolThatFailedIsToldSoToTheModel() throws InterruptedException {
        create("scripted", """
                "max_tokens": 9, "messages": [
                  {"role": "user", "content": "Weather?"},
                  {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
                    {"type": "tool_use", "id": "t2", "name": "weather", "input": {}}]},
                  {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": "no such city"},
                    {"type": "tool_result", "tool_use_id": "t2", "is_error": false, "content": "sunny"}]}]""" + TOOLS);

        assertThat(prompt(models.chat().request())).contains("\n[tool]Error: no such city\n[tool]sunny\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        {"type": "any"}
        {"type": "tool", "name": "weather"}
        {"type": "any", "disable_parallel_tool_use": true}
        """)
    void aCallThatIsDemandedIsEnforced(String choice) throws InterruptedException {
        create("scripted", MAX + "\"tool_choice\": " + choice + ", " + HI + TOOLS);

        assertThat(models.chat().request().sampling().constraint()).isNotNull();
    }

    @Test
    void toolsThatMayNotBeCalledAreNot() {
        models.chat().play(says(CALL, FinishReason.STOP));

        JsonNode reply = create("scripted", MAX + "\"tool_choice\": {\"type\": \"none\"}, " + HI + TOOLS);

        assertThat(reply.at("/content/0/text").textValue()).isEqualTo(CALL);
        assertThat(reply.get("stop_reason").textValue()).isEqualTo("end_turn");
    }

    @Test
    void tokensAreCounted() {
        Response response = post("/count_tokens", "scripted", HI);

        assertThat(Sse.parse(response.asString()))
                .isEqualTo(Sse.parse("{\"input_tokens\": " + "<s>[user]Hi\n[assistant]".length() + "}"));
        error(post("/count_tokens", "nobody", HI), 404);
        error(post("/count_tokens", "scripted", "\"messages\": 7"), 400);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        max_tokens | "messages": [{"role": "user", "content": "Hi"}]
        max_tokens | "max_tokens": 0, "messages": [{"role": "user", "content": "Hi"}]
        messages | "max_tokens": 9
        messages | "max_tokens": 9, "messages": []
        messages | "max_tokens": 9, "messages": "Hi"
        messages[0] | "max_tokens": 9, "messages": ["Hi"]
        messages[0].role | "max_tokens": 9, "messages": [{"role": "system", "content": "Hi"}]
        messages[0].role | "max_tokens": 9, "messages": [{"content": "Hi"}]
        messages[0].content | "max_tokens": 9, "messages": [{"role": "user"}]
        messages[0].content | "max_tokens": 9, "messages": [{"role": "user", "content": 7}]
        image | "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]
        document | "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]
        tool_use | "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]}]
        assistant | "max_tokens": 9, "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        system | "max_tokens": 9, "system": 7, "messages": [{"role": "user", "content": "a"}]
        stop_sequences | "max_tokens": 9, "stop_sequences": "a", "messages": [{"role": "user", "content": "a"}]
        stop_sequences | "max_tokens": 9, "stop_sequences": [""], "messages": [{"role": "user", "content": "a"}]
        temperature | "max_tokens": 9, "temperature": "1", "messages": [{"role": "user", "content": "a"}]
        input_schema | "max_tokens": 9, "tools": [{"name": "f"}], "messages": [{"role": "user", "content": "a"}]
        web_search_20250305 | "max_tokens": 9, "tools": [{"type": "web_search_20250305", "name": "web_search"}], "messages": [{"role": "user", "content": "a"}]
        tool_choice | "max_tokens": 9, "tool_choice": {"type": "any"}, "messages": [{"role": "user", "content": "a"}]
        tool_choice.type | "max_tokens": 9, "tool_choice": {"type": "x"}, "messages": [{"role": "user", "content": "a"}]
        thinking.type | "max_tokens": 9, "thinking": {"type": "x"}, "messages": [{"role": "user", "content": "a"}]
        mcp_servers | "max_tokens": 9, "mcp_servers": [{}], "messages": [{"role": "user", "content": "a"}]
        tool | "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "b"}]}]
        """)
    void wrongRequestsAreRefusedByName(String name, String fields) {
        JsonNode error = error(post("", "scripted", fields), 400);

        assertThat(error.get("type").textValue()).isEqualTo("invalid_request_error");
        assertThat(error.get("message").textValue()).contains(name);
    }

    @Test
    void everyErrorHasItsForm() {
        assertThat(error(post("", "nobody", MAX + HI), 404).get("type").textValue())
                .isEqualTo("not_found_error");
        assertThat(error(given().get("/v1/messages"), 405).get("type").textValue())
                .isEqualTo("invalid_request_error");
        error(given().post("/v1/messages/nothing"), 404);
        error(given().contentType("text/plain").body("x").post("/v1/messages"), 415);
        error(given().contentType(ContentType.JSON).body("{").post("/v1/messages"), 400);
        assertThat(error(post("", "scripted", "\"x\": \"" + "x".repeat(ScriptedProfile.MAX_BODY_BYTES) + "\""), 413)
                        .get("type")
                        .textValue())
                .isEqualTo("request_too_large");
        models.chat()
                .play(
                        Script.says().fails(Cause.OVERLOADED, "No room."),
                        Script.says().fails(Cause.INTERNAL, "It broke."));
        Response overloaded = post("", "scripted", MAX + HI);
        assertThat(error(overloaded, 529).get("type").textValue()).isEqualTo("overloaded_error");
        assertThat(overloaded.header("Retry-After")).isNotBlank();
        assertThat(error(post("", "scripted", MAX + HI), 500).get("type").textValue())
                .isEqualTo("api_error");
    }

    @Test
    void aStreamThatFailsEndsWithAnError() {
        models.chat().play(Script.says("On").fails(Cause.INTERNAL, "It broke."));

        List<JsonNode> events = stream("scripted", MAX + HI);

        assertThat(types(events)).endsWith("error").doesNotContain("message_stop");
        assertThat(events.getLast().at("/error/type").textValue()).isEqualTo("api_error");
    }

    @Test
    void whatFailsAfterALongSilenceIsAnEvent() throws Exception {
        CountDownLatch fail = new CountDownLatch(1);
        models.chat().play(Script.says().awaits(fail).fails(Cause.OVERLOADED, "No room."));
        try (LiveStream stream =
                LiveStream.open(url, "/v1/messages", "{\"model\": \"scripted\", \"stream\": true, " + MAX + HI + "}")) {
            assertThat(stream.nextLine()).isEqualTo(": keep-alive");
            fail.countDown();
            assertThat(Sse.parse(Objects.requireNonNull(stream.nextData())))
                    .isEqualTo(
                            Sse.parse(
                                    "{\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \"No room.\"}}"));
        }
    }

    @Test
    void aClientThatGoesFreesItsPlace() throws Exception {
        models.chat().play(Script.says("Once").awaits(new CountDownLatch(1)).ends(FinishReason.STOP));
        try (LiveStream stream =
                LiveStream.open(url, "/v1/messages", "{\"model\": \"scripted\", \"stream\": true, " + MAX + HI + "}")) {
            assertThat(stream.nextData()).contains("message_start");
        }

        await().until(() -> models.chat().cancelled() == 1 && models.chat().running() == 0);
    }
}
