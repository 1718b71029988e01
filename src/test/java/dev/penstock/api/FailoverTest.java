package dev.penstock.api;

import static dev.penstock.backend.upstream.FakeServer.FINISH;
import static dev.penstock.backend.upstream.FakeServer.ROLE;
import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.json;
import static dev.penstock.backend.upstream.FakeServer.says;
import static dev.penstock.backend.upstream.FakeServer.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.routing.Member;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of a request whose backend fails: the first one is cheap, the second one is there if it fails. */
@QuarkusTest
@TestProfile(RoutedProfile.class)
class FailoverTest extends Routed {
    private static final URI NOBODY_THERE = URI.create("http://127.0.0.1:1/v1");
    private static final Duration SOON = Duration.ofMillis(300);
    private static final UpstreamLimits IMPATIENT = new UpstreamLimits(SOON, SOON, SOON, SOON, 16, 100_000, 100_000);

    enum Failure {
        STATUS_500,
        TOO_MANY_REQUESTS,
        GARBAGE,
        ANOTHER_TYPE,
        HALF_A_CHUNK,
        NOTHING_BUT_AN_END,
        NO_CONNECTION,
        SILENCE;

        void answer(HttpServerRequest request, boolean stream) {
            switch (this) {
                case STATUS_500 -> json(request, 500, "{\"error\":{\"message\":\"boom\"}}");
                case TOO_MANY_REQUESTS -> json(request, 429, "{}");
                case GARBAGE -> {
                    if (stream) {
                        events(request, ROLE, "<html>");
                    } else {
                        json(request, 200, "{\"choices\":[");
                    }
                }
                case ANOTHER_TYPE ->
                    request.response().putHeader("Content-Type", "text/html").end("<html></html>");
                case HALF_A_CHUNK -> {
                    HttpServerResponse response = stream
                            ? stream(request)
                            : request.response()
                                    .putHeader("Content-Type", "application/json")
                                    .putHeader("Content-Length", "1000");
                    response.write(stream ? "data: {\"id\":\"c\",\"choi" : "{\"id\":\"c\",\"choi")
                            .onComplete(written -> request.connection().close());
                }
                case NOTHING_BUT_AN_END -> {
                    if (stream) {
                        events(request, ROLE, "[DONE]").end();
                    } else {
                        json(request, 200, "{}");
                    }
                }
                case NO_CONNECTION, SILENCE -> {}
            }
        }
    }

    static Stream<Arguments> failures() {
        return Arrays.stream(Failure.values())
                .flatMap(failure -> Stream.of(true, false)
                        .flatMap(stream -> Stream.of(true, false).map(here -> Arguments.of(failure, stream, here))));
    }

    private Member second(boolean here, boolean stream) throws Exception {
        if (here) {
            return fast(dear, DEAR);
        }
        FakeServer server = server();
        if (!stream) {
            server.always(request -> json(request, 200, FakeServer.chat("Once upon")));
        }
        return fast(upstream("dear", server.url()), DEAR);
    }

    /** One reply as a caller expects it, and nothing of the failure before it. */
    private static void assertClean(Response reply, boolean stream) {
        assertThat(reply.statusCode()).isEqualTo(200);
        assertThat(reply.headers().getValues("x-penstock-backend")).containsExactly("dear");
        String text = stream
                ? Sse.chunks(reply.asString()).stream()
                        .map(chunk -> chunk.at("/choices/0/delta/content").asText())
                        .collect(Collectors.joining())
                : reply.jsonPath().getString("choices[0].message.content");
        assertThat(text).isIn("Once upon", "Hello, world");
    }

    private static Response chat(boolean stream) {
        return chat(stream ? ", \"stream\": true" : "");
    }

    @ParameterizedTest
    @MethodSource("failures")
    void anUpstreamThatFailsBeforeTheFirstTokenIsNotNoticed(Failure failure, boolean stream, boolean here)
            throws Exception {
        FakeServer server = server();
        server.always(request -> failure.answer(request, stream));
        models.serve(
                slow(
                        upstream(
                                "cheap",
                                failure == Failure.NO_CONNECTION ? NOBODY_THERE : server.url(),
                                failure == Failure.SILENCE ? IMPATIENT : UpstreamLimits.DEFAULTS),
                        CHEAP),
                second(here, stream));

        assertClean(chat(stream), stream);

        assertThat(server.received()).isEqualTo(failure == Failure.NO_CONNECTION ? 0 : 1);
    }

    static Stream<Arguments> causes() {
        return Stream.of(Cause.OVERLOADED, Cause.SHUTTING_DOWN, Cause.INTERNAL)
                .flatMap(cause -> Stream.of(true, false)
                        .flatMap(stream -> Stream.of(true, false).map(here -> Arguments.of(cause, stream, here))));
    }

    @ParameterizedTest
    @MethodSource("causes")
    void aReplicaThatFailsBeforeTheFirstTokenIsNotNoticed(Cause cause, boolean stream, boolean here) throws Exception {
        cheap.play(Script.says().fails(cause, "no"));
        models.serve(slow(cheap, CHEAP), second(here, stream));

        assertClean(chat(stream), stream);

        assertThat(cheap.unread()).isEqualTo(1);
    }

    @Test
    void oneAfterTheOtherIsTriedEachOnce() throws Exception {
        FakeServer server = server();
        server.always(request -> Failure.STATUS_500.answer(request, true));
        ScriptedBackend last = new ScriptedBackend("last", RoutedModels.MODEL);
        cheap.play(Script.says().fails(Cause.OVERLOADED, "no"));
        dear.play(Script.says().fails(Cause.INTERNAL, "no"));
        models.serve(
                slow(cheap, CHEAP), slow(upstream("there", server.url()), DEAR), fast(dear, DEAR), fast(last, DEAR));

        Response reply = chat(true);

        reply.then().statusCode(200).header("x-penstock-backend", "last");
        assertThat(Sse.chunks(reply.asString())).isNotEmpty();
        assertThat(List.of(cheap.unread(), server.received(), dear.unread(), last.unread()))
                .containsExactly(1, 1, 1, 1);
    }

    @Test
    void whereAllFailTheLastErrorStandsAndNothingIsSaidOfCosts() throws Exception {
        FakeServer server = server();
        server.always(request -> Failure.GARBAGE.answer(request, true));
        cheap.play(Script.says().fails(Cause.OVERLOADED, "no"));
        models.serve(slow(cheap, CHEAP), slow(upstream("there", server.url()), DEAR));

        Response reply = chat(true);

        reply.then().statusCode(502).body("error.code", equalTo("backend_failed"));
        assertThat(reply.headers().hasHeaderWithName("Trailer")).isFalse();
        assertThat(reply.headers().hasHeaderWithName("x-penstock-saved-usd")).isFalse();
    }

    @Test
    void whatAnUpstreamRefusesForTheCallersFaultIsNotTriedElsewhere() throws Exception {
        FakeServer server = server();
        server.always(request -> json(request, 422, "{\"error\":{\"message\":\"no\"}}"));
        models.serve(slow(upstream("there", server.url()), CHEAP), fast(dear, DEAR));

        chat(true).then().statusCode(422).body("error.message", equalTo("no"));

        assertThat(dear.unread()).isZero();
    }

    @Test
    void aBudgetThatIsSpentByThenEndsTheSearch() throws Exception {
        FakeServer server = server();
        server.always(request -> {});
        models.serve(fast(upstream("there", server.url(), IMPATIENT), CHEAP), fast(dear, DEAR));

        chat(", \"stream\": true", Map.of("x-llm-d-slo-ttft-ms", Long.toString(SOON.toMillis())))
                .then()
                .statusCode(504)
                .body("error.code", equalTo("backend_timeout"));

        assertThat(dear.unread()).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"GARBAGE", "HALF_A_CHUNK", "SILENCE"})
    void afterTheFirstTokenOfAnUpstreamTheStreamEndsWithAnErrorAndNobodyElseIsAsked(Failure failure) throws Exception {
        FakeServer server = server();
        server.always(request -> {
            HttpServerResponse response = events(request, says("Once"));
            switch (failure) {
                case GARBAGE -> response.write("data: <html>\n\n");
                case HALF_A_CHUNK ->
                    response.write("data: {\"id\"")
                            .onComplete(n -> request.connection().close());
                default -> {}
            }
        });
        models.serve(slow(upstream("there", server.url(), IMPATIENT), CHEAP), fast(dear, DEAR));

        assertBroken(chat(true));

        assertThat(dear.unread()).isZero();
    }

    @Test
    void afterTheFirstTokenOfAReplicaTheStreamEndsWithAnErrorAndNobodyElseIsAsked() {
        cheap.play(Script.says("Once").fails(Cause.INTERNAL, "no"));
        models.serve(slow(cheap, CHEAP), fast(dear, DEAR));

        assertBroken(chat(true));

        assertThat(dear.unread()).isZero();
    }

    @Test
    void whereOneChoiceOfTwoFailsBothEnd() {
        cheap.play(Script.says("Once").awaits(NEVER).fails(Cause.INTERNAL, "no"));
        cheap.play(Script.says("Once").fails(Cause.INTERNAL, "no"));
        models.serve(slow(cheap, CHEAP), fast(dear, DEAR));

        List<String> data = Sse.data(chat(", \"n\": 2, \"stream\": true").asString());

        assertThat(Sse.parse(data.getLast()).at("/error/code").asText()).isEqualTo("internal_error");
        assertThat(dear.unread()).isZero();
    }

    private static void assertBroken(Response reply) {
        reply.then().statusCode(200);
        List<String> data = Sse.data(reply.asString());
        assertThat(data).hasSizeGreaterThan(1).doesNotContain("[DONE]", FINISH);
        assertThat(data.subList(0, data.size() - 1)).anyMatch(d -> d.contains("Once"));
        assertThat(Sse.parse(data.getLast()).at("/error/code").asText()).isNotEmpty();
    }
}
