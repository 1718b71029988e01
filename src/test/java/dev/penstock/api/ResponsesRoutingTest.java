package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where responses and messages run, and what becomes of their places. */
@QuarkusTest
@TestProfile(RoutedProfile.class)
class ResponsesRoutingTest extends Routed {
    private static String background() {
        Response response = post("/v1/responses", "\"input\": \"Hi\", \"background\": true", Map.of());
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        return response.jsonPath().getString("id");
    }

    private static String status(String id) {
        return given().get("/v1/responses/" + id).jsonPath().getString("status");
    }

    @Test
    void whatAReplicaCanAnswerIsNotSentElsewhere() throws Exception {
        FakeServer server = server();
        models.serve(fast(upstream("cheap", server.url()), CHEAP), fast(dear, DEAR));

        Response response = post("/v1/responses", "\"input\": \"Hi\"", Map.of());
        Response message = post("/v1/messages", CHAT, Map.of());

        assertThat(response.header("x-penstock-backend")).isEqualTo("dear");
        assertThat(message.header("x-penstock-backend")).isEqualTo("dear");
        assertThat(server.received()).isZero();
    }

    @Test
    void aResponseInTheBackgroundGoesToAnotherBackendWhereOneFails() {
        models.serve(fast(cheap, CHEAP), fast(dear, DEAR));
        cheap.play(Script.says().fails(Cause.INTERNAL, "It broke."));

        String id = background();

        await().until(() -> status(id).equals("completed"));
        assertThat(dear.unread()).isEqualTo(1);
    }

    @Test
    void aResponseInTheBackgroundThatIsCancelledGivesItsPlaceBack() throws Exception {
        models.serve(fast(cheap, CHEAP));
        cheap.play(Script.says("Once").awaits(NEVER).ends(FinishReason.STOP));

        String id = background();
        cheap.request();
        given().post("/v1/responses/" + id + "/cancel").then().statusCode(200);

        assertThat(status(id)).isEqualTo("cancelled");
        await().until(() -> cheap.running() == 0);
    }

    @Test
    void aResponseInTheBackgroundThatFindsNoBackendHasFailed() {
        models.serve(fast(cheap, CHEAP));
        cheap.play(Script.says().fails(Cause.OVERLOADED, "No room."));

        String id = background();

        await().until(() -> status(id).equals("failed"));
    }
}
