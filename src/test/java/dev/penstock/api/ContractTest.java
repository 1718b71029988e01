package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds every reply and every chunk against OpenAI's own description of its API, where that document is there. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ContractTest {
    @Inject
    ScriptedModels models;

    @BeforeAll
    static void read() throws IOException {
        Contract.read();
    }

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    private static void check(String schema, String json) {
        Contract.check(schema, json);
    }

    private static String post(String path, String fields, int status) {
        return given().contentType(ContentType.JSON)
                .body("{\"model\": \"scripted\", " + fields + "}")
                .post(path)
                .then()
                .statusCode(status)
                .extract()
                .asString();
    }

    private void play() {
        List<Script> scripts = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            scripts.add(Script.says("Grüße")
                    .thenTokens(" b", Script.token(" b", -1, Script.token(" b", -1), Script.token("c", -2)))
                    .ends(i == 0 ? FinishReason.STOP : FinishReason.LENGTH));
        }
        models.chat().play(scripts.toArray(Script[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"n\": 1", "\"n\": 2", "\"logprobs\": true", "\"logprobs\": true, \"top_logprobs\": 2"})
    void chatRepliesAndChunksFollowIt(String fields) {
        String messages = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], ";
        play();
        check("CreateChatCompletionResponse", post("/v1/chat/completions", messages + fields, 200));
        for (String usage : List.of("true", "false")) {
            reset();
            play();
            String stream = "\"stream\": true, \"stream_options\": {\"include_usage\": " + usage + "}, ";
            for (JsonNode chunk : Sse.chunks(post("/v1/chat/completions", messages + stream + fields, 200))) {
                check("CreateChatCompletionStreamResponse", chunk.toString());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"n\": 1", "\"n\": 2", "\"logprobs\": 0", "\"logprobs\": 2"})
    void completionsFollowIt(String fields) {
        String prompt = "\"prompt\": \"Hi\", ";
        play();
        check("CreateCompletionResponse", post("/v1/completions", prompt + fields, 200));
        reset();
        play();
        String stream = "\"stream\": true, \"stream_options\": {\"include_usage\": true}, ";
        for (JsonNode chunk : Sse.chunks(post("/v1/completions", prompt + stream + fields, 200))) {
            check(
                    "CreateCompletionResponse",
                    withoutWhatChunksMayLack((ObjectNode) chunk).toString());
        }
    }

    /** The schema is that of whole replies; a chunk before the last has no finish_reason and no usage. */
    private static ObjectNode withoutWhatChunksMayLack(ObjectNode chunk) {
        if (chunk.path("usage").isNull()) {
            chunk.remove("usage");
        }
        chunk.get("choices").forEach(choice -> {
            if (choice.get("finish_reason").isNull()) {
                ((ObjectNode) choice).put("finish_reason", "stop");
            }
        });
        return chunk;
    }

    @Test
    void modelsFollowIt() {
        check("ListModelsResponse", given().get("/v1/models").asString());
        check("Model", given().get("/v1/models/lab/plain").asString());
    }

    @Test
    void errorsFollowIt() {
        check("ErrorResponse", given().get("/v1/nothing").asString());
        check("ErrorResponse", given().get("/v1/chat/completions").asString());
        check("ErrorResponse", post("/v1/completions", "\"prompt\": 7", 400));
        models.chat().play(Script.says().fails(Cause.OVERLOADED, "No room."));
        check("ErrorResponse", post("/v1/completions", "\"prompt\": \"a\"", 503));
    }

    @Test
    void aReplyThatDoesNotFollowItIsNoticed() {
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> check("CreateChatCompletionResponse", "{\"id\": 7, \"choices\": []}")))
                .isInstanceOf(AssertionError.class);
    }
}
