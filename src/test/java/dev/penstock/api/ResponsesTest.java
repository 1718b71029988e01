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
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /v1/responses} by OpenAI's contract, which {@link ContractFilter} holds every reply and event against. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ResponsesTest {
    private static final String TOOLS = """
            "tools": [{"type": "function", "name": "weather", "description": "Tells the weather",
              "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
              "additionalProperties": false}}]""";
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
        models.plain().reset();
    }

    static Response post(String model, String fields) {
        return given().contentType(ContentType.JSON)
                .body(("{\"model\": \"" + model + "\", " + fields + "}").getBytes(StandardCharsets.UTF_8))
                .post("/v1/responses");
    }

    static JsonNode create(String model, String fields) {
        Response response = post(model, fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return Sse.parse(response.asString());
    }

    private static List<JsonNode> stream(String model, String fields) {
        Response response = post(model, "\"stream\": true, " + fields);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        assertThat(response.contentType()).isEqualTo("text/event-stream;charset=utf-8");
        List<JsonNode> events = Sse.named(response.asString());
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).get("sequence_number").intValue()).isEqualTo(i);
        }
        return events;
    }

    static JsonNode get(String path, int status) {
        Response response = given().get("/v1/responses/" + path);
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(status);
        JsonNode json = Sse.parse(response.asString());
        if (status == 200 && !path.contains("/")) {
            Contract.check("Response", json.toString());
        }
        return json;
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
    void aTextIsAMessage() throws InterruptedException {
        models.chat()
                .play(Script.says("Grüße", ", ", "Welt").ends(FinishReason.STOP).cached(3));

        JsonNode reply =
                create("scripted", "\"input\": \"Hi\", \"instructions\": \"Be kind\", \"metadata\": {\"a\": \"b\"}");

        assertThat(prompt(models.chat().request())).isEqualTo("<s>[system]Be kind\n[user]Hi\n[assistant]");
        assertThat(reply.get("id").textValue()).startsWith("resp_");
        assertThat(reply.get("object").textValue()).isEqualTo("response");
        assertThat(reply.get("status").textValue()).isEqualTo("completed");
        assertThat(reply.get("model").textValue()).isEqualTo("scripted");
        assertThat(reply.get("instructions").textValue()).isEqualTo("Be kind");
        assertThat(reply.at("/metadata/a").textValue()).isEqualTo("b");
        assertThat(reply.get("temperature").doubleValue()).isEqualTo(0.6);
        assertThat(reply.get("error").isNull()).isTrue();
        assertThat(reply.get("incomplete_details").isNull()).isTrue();
        assertThat(reply.get("output")).hasSize(1);
        JsonNode message = reply.at("/output/0");
        assertThat(message.get("id").textValue()).startsWith("msg_");
        assertThat(message.get("type").textValue()).isEqualTo("message");
        assertThat(message.get("status").textValue()).isEqualTo("completed");
        assertThat(message.at("/content/0/type").textValue()).isEqualTo("output_text");
        assertThat(message.at("/content/0/text").textValue()).isEqualTo("Grüße, Welt");
        assertThat(message.at("/content/0/annotations").isArray()).isTrue();
        assertThat(message.at("/content/0/logprobs").isEmpty()).isTrue();
        int input = "<s>[system]Be kind\n[user]Hi\n[assistant]".length();
        assertThat(reply.at("/usage/input_tokens").intValue()).isEqualTo(input);
        assertThat(reply.at("/usage/input_tokens_details/cached_tokens").intValue())
                .isEqualTo(3);
        assertThat(reply.at("/usage/output_tokens").intValue()).isEqualTo(3);
        assertThat(reply.at("/usage/total_tokens").intValue()).isEqualTo(input + 3);
    }

    @Test
    void aStreamIsTheSameInEvents() {
        models.chat().play(Script.says("Grüße", ", Welt").ends(FinishReason.STOP));

        List<JsonNode> events = stream("scripted", "\"input\": [{\"role\": \"user\", \"content\": \"Hi\"}]");

        List<String> types = types(events);
        assertThat(types.stream().distinct())
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        StringBuilder text = new StringBuilder();
        String item = events.get(2).at("/item/id").textValue();
        for (JsonNode event : events) {
            if (event.get("type").textValue().equals("response.output_text.delta")) {
                text.append(event.get("delta").textValue());
                assertThat(event.get("item_id").textValue()).isEqualTo(item);
                assertThat(event.get("output_index").intValue()).isZero();
                assertThat(event.get("content_index").intValue()).isZero();
            }
        }
        assertThat(text.toString()).isEqualTo("Grüße, Welt");
        assertThat(events.getFirst().at("/response/status").textValue()).isEqualTo("in_progress");
        assertThat(events.getFirst().at("/response/output").isEmpty()).isTrue();
        JsonNode last = events.getLast().get("response");
        assertThat(last.get("status").textValue()).isEqualTo("completed");
        assertThat(last.at("/output/0/content/0/text").textValue()).isEqualTo("Grüße, Welt");
        assertThat(last.at("/output/0/id").textValue()).isEqualTo(item);
        assertThat(last.get("id")).isEqualTo(events.getFirst().at("/response/id"));
        assertThat(get(last.get("id").textValue(), 200)).isEqualTo(last);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTextThatIsCutIsIncomplete(boolean stream) {
        models.chat().play(Script.says("On", "ce").ends(FinishReason.LENGTH));

        String fields = "\"input\": \"Hi\", \"max_output_tokens\": 2";
        List<JsonNode> events = stream ? stream("scripted", fields) : List.of();
        JsonNode reply = stream ? events.getLast().get("response") : create("scripted", fields);

        assertThat(reply.get("status").textValue()).isEqualTo("incomplete");
        assertThat(reply.at("/incomplete_details/reason").textValue()).isEqualTo("max_output_tokens");
        assertThat(reply.at("/output/0/status").textValue()).isEqualTo("incomplete");
        assertThat(reply.get("max_output_tokens").intValue()).isEqualTo(2);
        if (stream) {
            assertThat(types(events)).endsWith("response.incomplete");
        }
    }

    @Test
    void reasoningAndCallsAreItemsOfTheirOwn() {
        String said = "<think>I should look.</think>\n\nLet me see.\n" + CALL + "\n" + CALL;
        models.thinker().play(says(said, FinishReason.STOP), says(said, FinishReason.STOP));

        JsonNode reply = create("thinker", TOOLS + ", \"input\": \"Weather?\"");
        List<JsonNode> events = stream("thinker", TOOLS + ", \"input\": \"Weather?\"");

        assertThat(reply.get("output").findValuesAsText("type"))
                .containsSubsequence("reasoning", "message", "function_call", "function_call");
        assertThat(reply.get("output")).hasSize(4);
        assertThat(reply.at("/output/0/content/0/text").textValue().strip()).isEqualTo("I should look.");
        assertThat(reply.at("/output/0/summary").isEmpty()).isTrue();
        assertThat(reply.at("/output/1/content/0/text").textValue().strip()).isEqualTo("Let me see.");
        assertThat(reply.at("/usage/output_tokens_details/reasoning_tokens").intValue())
                .isPositive();
        for (int i : new int[] {2, 3}) {
            JsonNode call = reply.at("/output/" + i);
            assertThat(call.get("id").textValue()).startsWith("fc_");
            assertThat(call.get("call_id").textValue())
                    .isNotBlank()
                    .isNotEqualTo(call.get("id").textValue());
            assertThat(call.get("name").textValue()).isEqualTo("weather");
            assertThat(call.get("status").textValue()).isEqualTo("completed");
            assertThat(Sse.parse(call.get("arguments").textValue()).get("city").textValue())
                    .isEqualTo("Köln");
        }
        assertThat(types(events).stream().distinct())
                .containsSubsequence(
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.reasoning_text.delta",
                        "response.reasoning_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.output_text.delta",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.completed");
        Map<Integer, StringBuilder> deltas = new java.util.TreeMap<>();
        for (JsonNode event : events) {
            if (event.get("type").textValue().endsWith(".delta")) {
                deltas.computeIfAbsent(event.get("output_index").intValue(), i -> new StringBuilder())
                        .append(event.get("delta").textValue());
            }
        }
        JsonNode last = events.getLast().at("/response/output");
        assertThat(last).hasSize(4);
        deltas.forEach((index, text) -> {
            JsonNode item = last.get(index);
            String whole = item.get("type").textValue().equals("function_call")
                    ? item.get("arguments").textValue()
                    : item.at("/content/0/text").textValue();
            assertThat(text.toString()).isEqualTo(whole);
        });
        assertThat(deltas).hasSize(4);
    }

    @Test
    void logprobsOfTheTextAreThoseOfItsTokens() {
        Script script = Script.says()
                .thenTokens("Hi", Script.token("Hi", -1, Script.token("Hi", -1), Script.token("Yo", -2)))
                .thenTokens(" all", Script.token(" all", -3))
                .ends(FinishReason.STOP);
        models.chat().play(script, script);
        String fields = "\"input\": \"Hi\", \"top_logprobs\": 2, \"include\": [\"message.output_text.logprobs\"]";

        JsonNode reply = create("scripted", fields);
        List<JsonNode> events = stream("scripted", fields);

        JsonNode logprobs = reply.at("/output/0/content/0/logprobs");
        assertThat(logprobs.valueStream().map(l -> l.get("token").textValue())).containsExactly("Hi", " all");
        assertThat(logprobs.at("/0/top_logprobs")).hasSize(2);
        List<String> streamed = new ArrayList<>();
        for (JsonNode event : events) {
            if (event.get("type").textValue().equals("response.output_text.delta")) {
                event.get("logprobs").forEach(l -> streamed.add(l.get("token").textValue()));
            }
        }
        assertThat(streamed).containsExactly("Hi", " all");
    }

    @Test
    void itemsOfEveryKindComeToTheModel() throws InterruptedException {
        create("scripted", TOOLS + """
                , "input": [
                  {"type": "message", "role": "developer", "content": "Be brief"},
                  {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
                  {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look"}]},
                  {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{}"},
                  {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
                  {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
                   "content": [{"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}]},
                  {"role": "user", "content": "And now?"}]""");

        assertThat(prompt(models.chat().request()))
                .isEqualTo("<s>[system]Be brief\n[user]Weather?\n[assistant]\n[tool]sunny\n[assistant]Sunny.\n"
                        + "[user]And now?\n{tools 1}[assistant]");
    }

    @Test
    void aResponseGoesOnFromAnEarlierOne() throws InterruptedException {
        models.chat()
                .play(
                        Script.says("One").ends(FinishReason.STOP),
                        Script.says("Two").ends(FinishReason.STOP));

        String first = create("scripted", "\"input\": \"a\", \"instructions\": \"First\"")
                .get("id")
                .textValue();
        models.chat().request();
        JsonNode second = create("scripted", "\"input\": \"b\", \"previous_response_id\": \"" + first + "\"");
        assertThat(prompt(models.chat().request())).isEqualTo("<s>[user]a\n[assistant]One\n[user]b\n[assistant]");
        assertThat(second.get("previous_response_id").textValue()).isEqualTo(first);
        stream("scripted", "\"input\": \"c\", \"previous_response_id\": " + second.get("id"));
        assertThat(prompt(models.chat().request()))
                .isEqualTo("<s>[user]a\n[assistant]One\n[user]b\n[assistant]Two\n[user]c\n[assistant]");
    }

    @Test
    void whatIsNotStoredIsNotFound() {
        String id = create("scripted", "\"input\": \"a\", \"store\": false")
                .get("id")
                .textValue();

        assertThat(get(id, 404).at("/error/type").textValue()).isEqualTo("invalid_request_error");
        JsonNode error =
                BadInputTest.error(post("scripted", "\"input\": \"b\", \"previous_response_id\": \"" + id + "\""), 400);
        assertThat(error.get("code").textValue()).isEqualTo("previous_response_not_found");
        assertThat(error.get("param").textValue()).isEqualTo("previous_response_id");
    }

    @Test
    void aResponseIsGivenOutAndForgotten() {
        JsonNode made = create("scripted", "\"input\": \"a\"");
        String id = made.get("id").textValue();

        assertThat(get(id, 200)).isEqualTo(made);
        assertThat(get(id + "?stream=false", 200)).isEqualTo(made);
        assertThat(get(id + "?stream=true", 400).at("/error/param").textValue()).isEqualTo("stream");
        Response deleted = given().delete("/v1/responses/" + id);
        assertThat(deleted.statusCode()).isEqualTo(200);
        assertThat(Sse.parse(deleted.asString()))
                .isEqualTo(Sse.parse("{\"id\": \"" + id + "\", \"object\": \"response\", \"deleted\": true}"));
        get(id, 404);
        get(id + "/input_items", 404);
        assertThat(given().delete("/v1/responses/" + id).statusCode()).isEqualTo(404);
        assertThat(given().post("/v1/responses/" + id + "/cancel").statusCode()).isEqualTo(404);
    }

    @Test
    void inputItemsAreListedInPages() {
        String id = create("scripted", TOOLS + """
                        , "input": [{"role": "user", "content": "a", "id": "msg_a"},
                          {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
                          {"type": "function_call_output", "call_id": "c1", "output": "sunny", "id": "fco_x"},
                          {"role": "assistant", "content": "b", "id": "msg_b"},
                          {"role": "user", "content": "c", "id": "msg_c"}]""").get("id").textValue();

        JsonNode all = get(id + "/input_items?order=asc", 200);
        Contract.check("ResponseItemList", all.toString());
        assertThat(all.get("data")).hasSize(5);
        assertThat(all.get("has_more").booleanValue()).isFalse();
        JsonNode newest = get(id + "/input_items?limit=2", 200);
        assertThat(newest.at("/data/0/id").textValue()).isEqualTo("msg_c");
        assertThat(newest.get("first_id").textValue()).isEqualTo("msg_c");
        assertThat(newest.get("last_id").textValue()).isEqualTo("msg_b");
        assertThat(newest.get("has_more").booleanValue()).isTrue();
        JsonNode next = get(id + "/input_items?limit=1&after=msg_b", 200);
        assertThat(next.at("/data/0/id").textValue()).isEqualTo("fco_x");
        JsonNode none = get(id + "/input_items?after=msg_a", 200);
        Contract.check("ResponseItemList", none.toString());
        assertThat(none.get("data").isEmpty()).isTrue();
        for (String bad : List.of("limit=0", "limit=101", "limit=x", "order=up", "after=msg_z")) {
            assertThat(get(id + "/input_items?" + bad, 400).at("/error/param").textValue())
                    .isEqualTo(bad.substring(0, bad.indexOf('=')));
        }
    }

    @Test
    void theOldestMessagesAreDroppedWhereThatIsAllowed() throws InterruptedException {
        String items =
                "\"instructions\": \"Keep me\", \"input\": [{\"role\": \"user\", \"content\": \"" + "x".repeat(150)
                        + "\"}, {\"role\": \"assistant\", \"content\": \"y\"}, {\"role\": \"user\", \"content\": \"z\"}]";

        JsonNode error = BadInputTest.error(post("scripted", items), 400);
        create("scripted", "\"truncation\": \"auto\", " + items);

        assertThat(error.get("code").textValue()).isEqualTo("context_length_exceeded");
        assertThat(error.get("param").textValue()).isEqualTo("input");
        assertThat(prompt(models.chat().request())).isEqualTo("<s>[system]Keep me\n[assistant]y\n[user]z\n[assistant]");
        String tooLong = "\"truncation\": \"auto\", \"input\": \"" + "x".repeat(300) + "\"";
        assertThat(BadInputTest.error(post("scripted", tooLong), 400)
                        .get("code")
                        .textValue())
                .isEqualTo("context_length_exceeded");
    }

    @Test
    void aStreamThatFailsEndsWithAFailedResponse() {
        models.chat().play(Script.says("On").fails(Cause.INTERNAL, "It broke."));

        List<JsonNode> events = stream("scripted", "\"input\": \"a\"");

        assertThat(types(events)).endsWith("response.failed").doesNotContain("response.completed");
        JsonNode failed = events.getLast().get("response");
        assertThat(failed.get("status").textValue()).isEqualTo("failed");
        assertThat(failed.at("/error/code").textValue()).isEqualTo("server_error");
        assertThat(failed.at("/output/0/status").textValue()).isEqualTo("incomplete");
        get(failed.get("id").textValue(), 404);
    }

    private static String tool(String strict, String schema) {
        return "\"input\": \"a\", \"tools\": [{\"type\": \"function\", \"name\": \"weather\", " + strict
                + "\"parameters\": " + schema + "}]";
    }

    @Test
    void aToolIsStrictWhereNothingElseIsSaid() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            JsonNode response = create("scripted", "\"input\": \"a\", " + TOOLS);
            assertThat(response.at("/tools/0/strict").booleanValue()).isTrue();
        }

        assertThat(ToolCallTest.allows(models.chat(), "Let me see. " + CALL)).isTrue();
        assertThat(ToolCallTest.allows(models.chat(), "Let me see.")).isTrue();
        assertThat(ToolCallTest.allows(models.chat(), ToolCallTest.wholeCall("weather", "{\"town\": 1}")))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "required"})
    void aToolWhoseSchemaCanNotBeEnforcedIsNotStrictUnlessItMustBe(String choice) {
        String chosen = ", \"tool_choice\": \"" + choice + "\"";

        JsonNode response = create("scripted", tool("", ToolCallTest.UNENFORCEABLE) + chosen);
        JsonNode error = BadInputTest.error(
                post("scripted", tool("\"strict\": true, ", ToolCallTest.UNENFORCEABLE) + chosen), 400);

        assertThat(response.at("/tools/0/strict").isBoolean()).isTrue();
        assertThat(response.at("/tools/0/strict").booleanValue()).isFalse();
        assertThat(error.get("param").textValue()).isEqualTo("tools");
    }

    @Test
    void aToolThatShallNotBeStrictIsNot() throws InterruptedException {
        JsonNode response = create("scripted", tool("\"strict\": false, ", "{\"type\": \"object\"}"));

        assertThat(response.at("/tools/0/strict").booleanValue()).isFalse();
        assertThat(models.chat().request().sampling().constraint()).isNull();
    }

    @Test
    void whatFailsBeforeItsFirstTokenHasAStatus() {
        models.chat().play(Script.says().fails(Cause.OVERLOADED, "No room."));

        assertThat(BadInputTest.error(post("scripted", "\"stream\": true, \"input\": \"a\""), 503)
                        .get("code")
                        .textValue())
                .isEqualTo("server_is_overloaded");
    }

    @Test
    void whatFailsAfterALongSilenceIsAnEvent() throws Exception {
        CountDownLatch fail = new CountDownLatch(1);
        models.chat().play(Script.says().awaits(fail).fails(Cause.OVERLOADED, "No room."));
        try (LiveStream stream = LiveStream.open(
                url, "/v1/responses", "{\"model\": \"scripted\", \"input\": \"a\", \"stream\": true}")) {
            assertThat(stream.nextLine()).isEqualTo(": keep-alive");
            fail.countDown();
            String error = Objects.requireNonNull(stream.nextData());
            Contract.check("ResponseErrorEvent", error);
            assertThat(Sse.parse(error).get("code").textValue()).isEqualTo("server_is_overloaded");
        }
    }

    @Test
    void aClientThatGoesFreesItsPlaceAndNothingIsKept() throws Exception {
        models.chat().play(Script.says("Once").awaits(new CountDownLatch(1)).ends(FinishReason.STOP));
        String id;
        try (LiveStream stream = LiveStream.open(
                url, "/v1/responses", "{\"model\": \"scripted\", \"input\": \"a\", \"stream\": true}")) {
            id = Sse.parse(Objects.requireNonNull(stream.nextData()))
                    .at("/response/id")
                    .textValue();
        }

        await().until(() -> models.chat().cancelled() == 1 && models.chat().running() == 0);
        get(id, 404);
    }
}
