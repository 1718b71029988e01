package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is told of a request, in order. */
@QuarkusTest
@TestProfile(RoutedProfile.class)
class CallObserverTest extends Routed {
    @Inject
    RecordedCalls calls;

    @BeforeEach
    void forget() {
        calls.forget();
    }

    private void assertTold(String... lines) {
        await().until(() -> calls.lines().contains("over"));
        assertThat(calls.lines()).containsExactly(lines);
    }

    @Test
    void aReplyOfAReplicaWithSeveralChoicesCountsItsPromptOnce() {
        models.serve(fast(dear, DEAR));

        int prompt = chat(", \"n\": 3", Map.of("traceparent", "00-1-2-01"))
                .jsonPath()
                .getInt("usage.prompt_tokens");

        assertTold("begin CHAT routed 00-1-2-01", "placed dear", "answered dear " + prompt + " 6", "over");
    }

    @Test
    void aBackendThatFailedIsNamedBeforeTheOneThatAnswers() throws Exception {
        cheap.play(Script.says().fails(Cause.INTERNAL, "no"));
        FakeServer server = server();
        models.serve(slow(cheap, CHEAP), fast(upstream("there", server.url()), DEAR));

        chat(", \"stream\": true").then().statusCode(200);

        assertTold(
                "begin CHAT routed null",
                "placed cheap",
                "moved on from cheap internal_error",
                "placed there",
                "answered there 9 2",
                "over");
    }

    @Test
    void aRefusalIsAnError() {
        models.serve(slow(cheap, CHEAP));

        post("/v1/completions", "\"prompt\": \"Hi\"", Map.of("x-slo-tpot-ms", "1"))
                .then()
                .statusCode(503);

        assertTold("begin COMPLETIONS routed null", "failed budget_not_feasible", "over");
    }

    @Test
    void whoLeavesIsOverAndNothingElse() throws Exception {
        models.serve(slow(cheap, CHEAP));
        cheap.play(Script.says("Once").awaits(NEVER).ends(FinishReason.STOP));
        try (var socket = send(", \"stream\": true", Map.of())) {
            assertThat(socket.read(12)).hasSize(12);
        }

        assertTold("begin CHAT routed null", "placed cheap", "over");
    }
}
