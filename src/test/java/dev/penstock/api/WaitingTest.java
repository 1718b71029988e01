package dev.penstock.api;

import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.says;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.model.FinishReason;
import dev.penstock.routing.Member;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Requests that would harm one that runs, and so wait for its end; and callers who leave. */
@QuarkusTest
@TestProfile(RoutedProfile.class)
class WaitingTest extends Routed {
    private static final String STREAM = ", \"stream\": true";

    @Inject
    MeterRegistry meters;

    private final CountDownLatch end = new CountDownLatch(1);

    /** A step and a prompt token take a second. */
    private static Member sluggish(dev.penstock.backend.Backend backend) {
        return member(backend, CHEAP, 64, 1, 1);
    }

    /** One that keeps its budget as long as no long prompt comes beside it. */
    private RawConnection runFirst() throws Exception {
        cheap.play(Script.says("Once").awaits(end).ends(FinishReason.STOP));
        RawConnection first = send(STREAM, Map.of("Connection", "close", "x-llm-d-slo-tpot-ms", "8000"));
        cheap.request();
        assertThat(first.read(12)).isEqualTo("HTTP/1.1 200");
        return first;
    }

    /** A long prompt, which has time until then. */
    private RawConnection sendLong(String word, long deadlineS) throws IOException {
        double before = waited();
        RawConnection sent = RawConnection.post(
                url,
                "/v1/completions",
                Map.of("Connection", "close", "x-penstock-max-latency-ms", deadlineS + "000"),
                body("\"prompt\": \"" + word.repeat(300) + "\", \"max_tokens\": 20"));
        await().until(() -> waited() > before);
        return sent;
    }

    private double waited() {
        return meters.counter(
                        "penstock.routing.decisions",
                        Tags.of("model", RoutedModels.MODEL, "backend", "none", "reason", "waiting"))
                .count();
    }

    @Test
    void aRequestThatWouldHarmAnotherIsServedOnceThatIsDone() throws Exception {
        models.serve(sluggish(cheap));
        RawConnection first = runFirst();
        RawConnection second = sendLong("x", 20_000);
        assertThat(cheap.unread()).isZero();

        end.countDown();

        assertThat(second.readAll()).startsWith("HTTP/1.1 200").contains("Hello, world");
        assertThat(first.readAll()).contains("[DONE]");
    }

    @Test
    void thoseWhoWaitAreServedInOrderOfTheirDeadlines() throws Exception {
        models.serve(sluggish(cheap));
        RawConnection first = runFirst();
        List<RawConnection> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(sendLong(
                    List.of("b", "c", "a").get(i),
                    List.of(30_000, 40_000, 20_000).get(i)));
        }

        end.countDown();

        for (int expected : "abc".toCharArray()) {
            assertThat(cheap.request().promptTokens()).endsWith(expected);
        }
        for (RawConnection socket : waiting) {
            assertThat(socket.readAll()).startsWith("HTTP/1.1 200");
        }
        first.readAll();
    }

    @Test
    void whoDisconnectsLeavesTheLine() throws Exception {
        models.serve(sluggish(cheap));
        RawConnection first = runFirst();
        RawConnection leaving = sendLong("x", 20_000);
        RawConnection staying = sendLong("yy", 30_000);

        leaving.close();
        await().until(() -> gate.inside() == 2);
        end.countDown();

        assertThat(staying.readAll()).startsWith("HTTP/1.1 200");
        assertThat(cheap.request().promptTokens()).hasSizeGreaterThan(600);
        assertThat(cheap.unread()).isZero();
        first.readAll();
    }

    @Test
    void whoWaitsIsServedByABackendThatComes() throws Exception {
        models.serve(sluggish(cheap));
        RawConnection first = runFirst();
        RawConnection second = sendLong("x", 20_000);

        models.serve(fast(dear, DEAR));

        assertThat(second.readAll()).startsWith("HTTP/1.1 200").containsIgnoringCase("x-penstock-backend: dear");
        end.countDown();
        assertThat(first.readAll()).contains("[DONE]");
    }

    @Test
    void whatWasReadForServersElsewhereAndNowMeetsAReplicaIsToComeAgain() throws Exception {
        FakeServer server = server();
        server.next(request -> events(request, says("Hi")));
        models.serve(sluggish(upstream("there", server.url())));
        RawConnection first = send(STREAM, Map.of("x-llm-d-slo-tpot-ms", "8000"));
        assertThat(first.read(12)).hasSize(12);
        // Its tokens are reckoned from its bytes.
        RawConnection second = sendLong("x".repeat(20), 20_000);

        models.serve(fast(dear, DEAR));

        assertThat(second.readAll()).startsWith("HTTP/1.1 503").containsIgnoringCase("retry-after: 1");
        first.close();
    }

    @Test
    void whoLeavesWithRequestsBehindOneAnotherFreesAll() throws Exception {
        models.serve(slow(cheap, CHEAP));
        cheap.play(Script.says("Once").awaits(NEVER).ends(FinishReason.STOP));
        try (RawConnection socket = send(STREAM, Map.of())) {
            socket.post(Map.of(), body(CHAT));
            socket.post(Map.of(), body(CHAT + STREAM));
            cheap.request();
            assertThat(socket.read(12)).hasSize(12);
        }

        await().until(() -> cheap.cancelled() == 1 && cheap.running() == 0);
    }

    @Test
    void whoLeavesSeveralChoicesFreesAllOfThem() throws Exception {
        models.serve(slow(cheap, CHEAP));
        CountDownLatch some = new CountDownLatch(1);
        cheap.play(
                Script.says("Once").awaits(some).then("upon").awaits(NEVER).ends(FinishReason.STOP),
                Script.says("Once").awaits(NEVER).ends(FinishReason.STOP),
                Script.says("Once").ends(FinishReason.STOP));
        try (RawConnection socket = send(STREAM + ", \"n\": 3", Map.of())) {
            for (int i = 0; i < 3; i++) {
                cheap.request();
            }
            assertThat(socket.read(12)).hasSize(12);
        }

        await().until(() -> cheap.cancelled() == 2 && cheap.running() == 0);
    }
}
