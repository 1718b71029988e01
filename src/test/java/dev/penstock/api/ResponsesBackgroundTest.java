package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses that are made without their callers' connections. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ResponsesBackgroundTest {
    @Inject
    ScriptedModels models;

    @Inject
    RequestGate gate;

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    @Test
    void aResponseInTheBackgroundIsAskedForUntilItIsThere() throws InterruptedException {
        CountDownLatch go = new CountDownLatch(1);
        models.chat().play(Script.says("On").awaits(go).then("ce").ends(FinishReason.STOP));

        JsonNode first = ResponsesTest.create("scripted", "\"input\": \"a\", \"background\": true");
        String id = first.get("id").textValue();
        models.chat().request();

        assertThat(first.get("status").textValue()).isEqualTo("queued");
        await().until(() -> ResponsesTest.get(id, 200).get("status").textValue().equals("in_progress"));
        assertThat(BadInputTest.error(
                                ResponsesTest.post(
                                        "scripted", "\"input\": \"b\", \"previous_response_id\": \"" + id + "\""),
                                400)
                        .get("code")
                        .textValue())
                .isEqualTo("previous_response_not_found");
        go.countDown();
        await().until(() -> ResponsesTest.get(id, 200).get("status").textValue().equals("completed"));
        assertThat(ResponsesTest.get(id, 200).at("/output/0/content/0/text").textValue())
                .isEqualTo("Once");
        assertThat(ResponsesTest.get(id + "/input_items", 200)
                        .at("/data/0/content/0/text")
                        .textValue())
                .isEqualTo("a");
        // One that has ended stays as it is.
        assertThat(given().post("/v1/responses/" + id + "/cancel").statusCode()).isEqualTo(200);
        assertThat(ResponsesTest.get(id, 200).get("status").textValue()).isEqualTo("completed");
        assertThat(gate.awaitIdle(java.time.Duration.ofSeconds(30))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResponseInTheBackgroundCanBeCancelled(boolean byDeleting) throws InterruptedException {
        models.chat().play(Script.says("On").awaits(new CountDownLatch(1)).ends(FinishReason.STOP));
        String id = ResponsesTest.create("scripted", "\"input\": \"a\", \"background\": true")
                .get("id")
                .textValue();
        models.chat().request();

        if (byDeleting) {
            assertThat(given().delete("/v1/responses/" + id).statusCode()).isEqualTo(200);
        } else {
            JsonNode cancelled =
                    Sse.parse(given().post("/v1/responses/" + id + "/cancel").asString());
            Contract.check("Response", cancelled.toString());
            assertThat(cancelled.get("status").textValue()).isEqualTo("cancelled");
        }

        await().until(() -> models.chat().cancelled() == 1 && models.chat().running() == 0);
        assertThat(gate.awaitIdle(java.time.Duration.ofSeconds(30))).isTrue();
        if (byDeleting) {
            ResponsesTest.get(id, 404);
        } else {
            assertThat(ResponsesTest.get(id, 200).get("status").textValue()).isEqualTo("cancelled");
        }
    }

    @Test
    void aResponseInTheBackgroundThatFailsSaysSo() {
        models.chat().play(Script.says().fails(Cause.INTERNAL, "It broke."));

        String id = ResponsesTest.create("scripted", "\"input\": \"a\", \"background\": true")
                .get("id")
                .textValue();

        await().until(() -> ResponsesTest.get(id, 200).get("status").textValue().equals("failed"));
        assertThat(ResponsesTest.get(id, 200).at("/error/code").textValue()).isEqualTo("server_error");
    }

    @Test
    void onlyThoseInTheBackgroundAreCancelled() {
        String id =
                ResponsesTest.create("scripted", "\"input\": \"a\"").get("id").textValue();

        BadInputTest.error(given().post("/v1/responses/" + id + "/cancel"), 400);
    }
}
