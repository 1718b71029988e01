package dev.penstock.backend.upstream;

import static dev.penstock.backend.upstream.FakeServer.FINISH;
import static dev.penstock.backend.upstream.FakeServer.ROLE;
import static dev.penstock.backend.upstream.FakeServer.event;
import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.json;
import static dev.penstock.backend.upstream.FakeServer.says;
import static dev.penstock.backend.upstream.FakeServer.stream;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.backend.Backend.Load;
import dev.penstock.model.WireEvent.Broken;
import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import dev.penstock.model.WireEvent.Failure;
import dev.penstock.model.WireEvent.Rejection;
import dev.penstock.model.WireRequest;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each way in which a server can fail, and what becomes of it. */
class UpstreamFailureTest extends UpstreamFixture {
    private static final Duration SHORT = Duration.ofMillis(200);

    private Failure failed(WireRequest request) throws InterruptedException {
        List<Object> all = send(request).all();
        assertThat(all).singleElement().isInstanceOf(Failed.class);
        assertThat(upstream().load()).isEqualTo(new Load(0, 0, 0));
        return ((Failed) all.getFirst()).failure();
    }

    private Failure broken() throws InterruptedException {
        List<Object> all = send(Caller.stream(false)).all();
        assertThat(all).hasSize(2).last().isInstanceOf(Broken.class);
        assertThat(upstream().load()).isEqualTo(new Load(0, 0, 0));
        return ((Broken) all.getLast()).failure();
    }

    private static Arguments way(String name, Cause cause, Handler<HttpServerRequest> script) {
        return Arguments.of(name, cause, script);
    }

    static Stream<Arguments> beforeTheFirstToken() {
        return Stream.of(
                way("500", Cause.FAULT, request -> json(request, 500, "{\"error\":{\"message\":\"oops\"}}")),
                way(
                        "502 with a page",
                        Cause.FAULT,
                        request -> request.response().setStatusCode(502).end("<html>")),
                way("503", Cause.OVERLOADED, request -> json(request, 503, "{}")),
                way("401", Cause.MISCONFIGURED, request -> json(request, 401, "{}")),
                way("404", Cause.MISCONFIGURED, request -> json(request, 404, "{}")),
                way(
                        "200 with an error",
                        Cause.FAULT,
                        request -> events(request, "{\"error\":{\"message\":\"oom\"}}")
                                .end()),
                way("garbage", Cause.FAULT, request -> events(request, "<html>").end()),
                way(
                        "garbage behind a role",
                        Cause.FAULT,
                        request -> events(request, ROLE, "{]").end()),
                way(
                        "another object",
                        Cause.FAULT,
                        request -> events(request, "{\"hello\":1}").end()),
                way("an array", Cause.FAULT, request -> events(request, "[1]").end()),
                way(
                        "two objects",
                        Cause.FAULT,
                        request -> events(request, says("a") + says("b")).end()),
                way("half an event", Cause.FAULT, request -> stream(request).end("data: {\"choices\":[{\"del")),
                way("no event", Cause.FAULT, request -> stream(request).end()),
                way(
                        "only the end",
                        Cause.FAULT,
                        request -> events(request, "[DONE]").end()),
                way(
                        "only a role",
                        Cause.FAULT,
                        request -> events(request, ROLE, "[DONE]").end()),
                way(
                        "no answer",
                        Cause.UNREACHABLE,
                        request -> request.connection().close()),
                way("a reset", Cause.UNREACHABLE, request -> request.response().reset()),
                way(
                        "a cut after the head",
                        Cause.UNREACHABLE,
                        request -> stream(request)
                                .write("\n")
                                .onComplete(nothing -> request.connection().close())),
                way(
                        "a cut after a role",
                        Cause.UNREACHABLE,
                        request -> events(request, ROLE)
                                .write("")
                                .onComplete(nothing -> request.connection().close())),
                way("a wrong type", Cause.FAULT, request -> json(request, 200, "{\"choices\":[]}")),
                way("no type", Cause.FAULT, request -> request.response().end(event(says("Hi")))),
                way("compression", Cause.FAULT, request -> {
                    stream(request).putHeader("Content-Encoding", "gzip").end(event(says("Hi")));
                }),
                way(
                        "huge headers",
                        Cause.UNREACHABLE,
                        request -> stream(request)
                                .putHeader("X-Large", "x".repeat(100_000))
                                .end(event(says("Hi")))),
                way("an event without end", Cause.FAULT, request -> {
                    Buffer piece = Buffer.buffer("data: " + "x".repeat(LIMITS.maxEventBytes()));
                    stream(request).write(piece);
                }),
                way("an event of lines without end", Cause.FAULT, request -> {
                    stream(request)
                            .write(Buffer.buffer("data: xxxxxxxxxxxxxxxxxxxx\n".repeat(LIMITS.maxEventBytes() / 20)));
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void beforeTheFirstToken(String name, Cause cause, Handler<HttpServerRequest> script) throws Exception {
        server.next(script);

        assertThat(failed(Caller.stream(false)).cause()).isEqualTo(cause);

        assertThat(send(Caller.stream(false)).all()).last().isInstanceOf(Ended.class);
    }

    static Stream<Arguments> afterTheFirstToken() {
        return Stream.of(
                way(
                        "an error",
                        Cause.FAULT,
                        request -> events(request, says("Hi"), "{\"error\":{\"message\":\"oom\"}}")),
                way("an error as text", Cause.FAULT, request -> events(request, says("Hi"), "{\"error\":\"oom\"}")),
                way("garbage", Cause.FAULT, request -> events(request, says("Hi"), "garbage")),
                way(
                        "half an event",
                        Cause.FAULT,
                        request -> events(request, says("Hi")).end("data: {\"choi")),
                way(
                        "the end",
                        Cause.FAULT,
                        request -> events(request, says("Hi")).end()),
                way(
                        "a cut",
                        Cause.UNREACHABLE,
                        request -> events(request, says("Hi"))
                                .write("")
                                .onComplete(nothing -> request.connection().close())),
                way(
                        "an event without end",
                        Cause.FAULT,
                        request -> events(request, says("Hi"))
                                .write(Buffer.buffer("x".repeat(LIMITS.maxEventBytes() + 1)))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void afterTheFirstToken(String name, Cause cause, Handler<HttpServerRequest> script) throws Exception {
        server.next(script);

        assertThat(broken().cause()).isEqualTo(cause);

        assertThat(send(Caller.stream(false)).all()).last().isInstanceOf(Ended.class);
    }

    @Test
    void aRequestThatTheUpstreamRefusesIsRefusedWithItsWords() throws Exception {
        server.next(
                request -> json(
                        request,
                        400,
                        "{\"error\":{\"message\":\"too long\",\"type\":\"x\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}"));
        assertThat(failed(Caller.stream(false)).rejection())
                .isEqualTo(new Rejection(400, "too long", "messages", "context_length_exceeded"));

        server.next(request -> json(request, 422, "no JSON"));
        assertThat(failed(Caller.plain()).rejection())
                .isEqualTo(new Rejection(422, "The model's backend does not take this request.", null, null));

        server.next(request -> json(request, 400, "{\"error\":{\"message\":\"" + "x".repeat(9000) + "\"}}"));
        assertThat(failed(Caller.plain()).rejection())
                .isNotNull()
                .satisfies(r -> assertThat(String.valueOf(r)).hasSizeLessThan(3000));
    }

    @ParameterizedTest
    @CsvSource({"7, 7", "0, 1", "999999999, 3600", "soon, -1", "-5, -1"})
    void itMaySayWhenToAskAgain(String header, int seconds) throws Exception {
        server.next(request -> {
            request.response().putHeader("Retry-After", header);
            json(request, 429, "{}");
        });

        Failure failure = failed(Caller.stream(false));

        assertThat(failure.cause()).isEqualTo(Cause.OVERLOADED);
        assertThat(failure.retryAfterS().orElse(-1)).isEqualTo(seconds);
        assertThat(upstream().available()).isEqualTo(seconds < 0);
        clockNs.addAndGet(Duration.ofHours(1).toNanos());
        assertThat(upstream().available()).isTrue();
    }

    @Test
    void itMaySayWhenToAskAgainAsADate() throws Exception {
        server.next(request -> {
            request.response()
                    .putHeader(
                            "Retry-After",
                            DateTimeFormatter.RFC_1123_DATE_TIME.format(
                                    ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(100)));
            json(request, 429, "{}");
        });

        assertThat(failed(Caller.stream(false)).retryAfterS().orElse(-1)).isBetween(60, 100);
    }

    @Test
    void aRedirectIsNotFollowed() throws Exception {
        server.next(request -> request.response()
                .setStatusCode(307)
                .putHeader("Location", server.url() + "/elsewhere")
                .end());

        assertThat(failed(Caller.stream(false)).cause()).isEqualTo(Cause.MISCONFIGURED);
        server.request();
        send(Caller.stream(false)).all();
        assertThat(server.request().request().path()).isEqualTo("/v1/chat/completions");
    }

    @Test
    void aPlainReplyThatIsNoneFails() throws Exception {
        for (String body : List.of("", "null", "{}", "{\"choices\":3}", "{\"choices\":[", "[]", "{\"choices\":[]} x")) {
            clockNs.addAndGet(Duration.ofHours(1).toNanos());
            server.next(request -> json(request, 200, body));
            assertThat(failed(Caller.plain()).cause()).as(body).isEqualTo(Cause.FAULT);
        }
    }

    @Test
    void aPlainReplyOrAnErrorThatIsTooLargeIsCutOff() throws Exception {
        server.next(
                request -> json(request, 200, "{\"choices\":[],\"x\":\"" + "x".repeat(LIMITS.maxReplyBytes()) + "\"}"));
        assertThat(failed(Caller.plain()).cause()).isEqualTo(Cause.FAULT);
        server.next(request -> json(request, 400, "x".repeat(100_000)));
        assertThat(failed(Caller.plain()).cause()).isEqualTo(Cause.FAULT);
    }

    @Test
    void whereNobodyListensNobodyIsReached() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Upstream nobody = upstream(URI.create("http://127.0.0.1:" + port + "/v1"), LIMITS, Duration.ofHours(1));

        assertThat(Caller.send(vertx, nobody, Caller.stream(false)).all())
                .singleElement()
                .isInstanceOfSatisfying(
                        Failed.class, f -> assertThat(f.failure().cause()).isEqualTo(Cause.UNREACHABLE));
    }

    private static UpstreamLimits limits(Duration firstToken, Duration idle, Duration total) {
        return new UpstreamLimits(
                LIMITS.connect(),
                firstToken,
                idle,
                total,
                LIMITS.maxConnections(),
                LIMITS.maxEventBytes(),
                LIMITS.maxReplyBytes());
    }

    private List<Object> within(UpstreamLimits limits, WireRequest request) throws InterruptedException {
        return Caller.send(vertx, upstream(server.url(), limits, Duration.ofHours(1)), request)
                .all();
    }

    @Test
    void anUpstreamThatStallsBeforeItsFirstTokenIsLeft() throws Exception {
        UpstreamLimits limits = limits(SHORT, LIMITS.idle(), LIMITS.total());
        for (Handler<HttpServerRequest> stall : List.<Handler<HttpServerRequest>>of(
                request -> {}, request -> stream(request).write(": ping\n\n"), request -> events(request, ROLE))) {
            server.next(stall);
            assertThat(within(limits, Caller.stream(false)))
                    .singleElement()
                    .isInstanceOfSatisfying(
                            Failed.class, f -> assertThat(f.failure().cause()).isEqualTo(Cause.TIMEOUT));
        }
    }

    @Test
    void anUpstreamThatStallsInMidStreamIsLeft() throws Exception {
        UpstreamLimits limits = limits(LIMITS.firstToken(), SHORT, LIMITS.total());
        server.next(request -> {
            events(request, says("Hi"));
            vertx.setPeriodic(20, id -> request.response().write(": ping\n\n"));
        });

        assertThat(within(limits, Caller.stream(false)))
                .hasSize(2)
                .last()
                .isInstanceOfSatisfying(
                        Broken.class, b -> assertThat(b.failure().cause()).isEqualTo(Cause.TIMEOUT));
    }

    @Test
    void aReplyWithoutEndIsCutOff() throws Exception {
        UpstreamLimits limits = limits(LIMITS.firstToken(), LIMITS.idle(), SHORT);
        server.next(request -> {
            events(request, says("Hi"));
            vertx.setPeriodic(20, id -> request.response().write(event(says("Hi"))));
        });
        assertThat(within(limits, Caller.stream(false))).last().isInstanceOf(Broken.class);

        server.next(request -> request.response()
                .setChunked(true)
                .putHeader("Content-Type", "application/json")
                .write("{"));
        assertThat(within(limits, Caller.plain())).singleElement().isInstanceOf(Failed.class);
    }

    @Test
    void aBodyThatIsNoUtf8IsRefusedAndNotTheUpstreamsFault() throws Exception {
        for (int i = 0; i < 5; i++) {
            byte[] utf16 = "{\"model\":\"ours\"}".getBytes(StandardCharsets.UTF_16LE);
            Failure failure = failed(new WireRequest(WireRequest.Endpoint.CHAT, utf16, false, false));
            assertThat(failure.cause()).isEqualTo(Cause.REJECTED);
        }
        assertThat(upstream().available()).isTrue();
    }

    @Test
    void afterTheLastWordNothingIsHeard() throws Exception {
        server.next(request -> events(request, says("Hi"), FINISH, "[DONE]", says("more"), "garbage"));

        assertThat(send(Caller.stream(false)).all()).hasSize(3).last().isEqualTo(new Ended(null));
    }
}
