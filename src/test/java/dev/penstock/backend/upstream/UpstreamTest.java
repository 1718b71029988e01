package dev.penstock.backend.upstream;

import static dev.penstock.backend.upstream.FakeServer.FINISH;
import static dev.penstock.backend.upstream.FakeServer.ROLE;
import static dev.penstock.backend.upstream.FakeServer.USAGE;
import static dev.penstock.backend.upstream.FakeServer.event;
import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.json;
import static dev.penstock.backend.upstream.FakeServer.says;
import static dev.penstock.backend.upstream.FakeServer.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.penstock.backend.Backend.Load;
import dev.penstock.model.Usage;
import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent.Cause;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class UpstreamTest extends UpstreamFixture {
    private static final Usage COUNTED = new Usage(9, 4, 2);

    private static String ours(String chunk) {
        return chunk.replace("theirs", "ours");
    }

    @Test
    void aStreamComesAsItIsUnderTheCallersNameOfTheModel() throws Exception {
        assertThat(send(Caller.stream(false)).all())
                .containsExactly(ours(ROLE), ours(says("Once")), ours(says(" upon")), ours(FINISH), new Ended(COUNTED));
    }

    @Test
    void theChunkThatCountsTokensIsForWhoAskedForIt() throws Exception {
        assertThat(send(Caller.stream(true)).all()).contains(ours(USAGE)).last().isEqualTo(new Ended(COUNTED));
        assertThat(server.request().body())
                .isEqualTo(
                        "{\"model\":\"theirs\",\"messages\":[],\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    }

    @Test
    void aRequestHasTheUpstreamsNameAndOurKeyAndAsksForTheTokensOfItsStream() throws Exception {
        send(Caller.stream(false)).all();
        FakeServer.Got got = server.request();

        assertThat(got.request().path()).isEqualTo("/v1/chat/completions");
        assertThat(new ObjectMapper().readValue(got.body(), Map.class))
                .containsEntry("model", "theirs")
                .containsEntry("stream_options", Map.of("include_usage", true));
        assertThat(got.request().getHeader("Authorization")).isEqualTo("Bearer secret");
        assertThat(got.request().headers().names())
                .extracting(name -> name.toLowerCase(Locale.ROOT))
                .containsExactlyInAnyOrder(
                        "host",
                        "content-type",
                        "content-length",
                        "accept",
                        "user-agent",
                        "authorization",
                        "endpoint-load-metrics-format");
    }

    @Test
    void aPlainReplyComesAsAWhole() throws Exception {
        String reply =
                "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"content\":\"Hi\",\"model\":\"theirs\"}}],\"model\":\"theirs\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}";
        server.next(request -> json(request, 200, reply));

        assertThat(send(Caller.plain()).all())
                .containsExactly(
                        reply.replace("],\"model\":\"theirs\"", "],\"model\":\"ours\""), new Ended(new Usage(3, 0, 1)));
        assertThat(server.request().body()).isEqualTo("{\"messages\":[],\"model\":\"theirs\"}");
    }

    @Test
    void aStreamMayEndWithoutTheLastWordOnceItsChoicesHaveEnded() throws Exception {
        server.next(request -> events(request, says("Hi"), FINISH).end());

        assertThat(send(Caller.stream(false)).all()).last().isEqualTo(new Ended(null));
    }

    @Test
    void eventsMayComeInAnyPiecesWithCommentsBetween() throws Exception {
        byte[] bytes = (": ping\r\n\r\nid: 1\r\nevent: x\r\ndata:" + says("Füchse 🦊") + "\r\n\r\n: ping\n\ndata: "
                        + FINISH + "\n\ndata: [DONE]\n\n")
                .getBytes(StandardCharsets.UTF_8);
        server.next(request -> {
            HttpServerResponse response = stream(request);
            for (byte b : bytes) {
                response.write(Buffer.buffer(new byte[] {b}));
            }
            response.end();
        });

        assertThat(send(Caller.stream(false)).all())
                .containsExactly(ours(says("Füchse 🦊")), ours(FINISH), new Ended(null));
    }

    @Test
    void aConnectionServesOneRequestOfItsEventLoopAfterTheOther() throws Exception {
        Caller caller = send(Caller.stream(false));
        caller.all();
        for (int i = 0; i < 4; i++) {
            caller = Caller.sendAfter(caller, upstream(), Caller.stream(false));
            caller.all();
        }
        assertThat(server.connections).hasValue(1);
    }

    @Test
    void aRequestTooManyFailsUntilAnotherHasEnded() throws Exception {
        UpstreamLimits one = new UpstreamLimits(
                LIMITS.connect(), LIMITS.firstToken(), LIMITS.idle(), LIMITS.total(), 1, 100_000, 200_000);
        Upstream small = upstream(server.url(), one, Duration.ofHours(1));
        server.next(request -> events(request, says("Hi")));
        Caller first = Caller.send(vertx, small, Caller.stream(false));
        first.chunk();

        assertThat(small.available()).isFalse();
        assertThat(Caller.send(vertx, small, Caller.stream(false)).all())
                .singleElement()
                .isInstanceOfSatisfying(
                        Failed.class, f -> assertThat(f.failure().cause()).isEqualTo(Cause.UNAVAILABLE));

        first.with(WireCall::cancel);
        assertThat(Caller.send(vertx, small, Caller.stream(false)).all()).last().isEqualTo(new Ended(COUNTED));
    }

    @Test
    void aSlowReaderStopsTheServerUntilItReadsOn() throws Exception {
        String piece = says("x".repeat(10_000));
        int pieces = 5000;
        AtomicInteger written = new AtomicInteger();
        CountDownLatch full = new CountDownLatch(1);
        server.next(request -> {
            HttpServerResponse response = stream(request);
            Runnable write = new Runnable() {
                @Override
                public void run() {
                    while (written.get() < pieces && !response.writeQueueFull()) {
                        written.incrementAndGet();
                        response.write(event(piece));
                    }
                    if (written.get() == pieces) {
                        response.end(event(FINISH).appendBuffer(event("[DONE]")));
                    } else {
                        response.drainHandler(nothing -> run());
                        full.countDown();
                    }
                }
            };
            write.run();
        });

        Caller caller = send(Caller.stream(false));
        caller.chunk();
        caller.with(WireCall::pause);
        full.await();
        // Meanwhile others are served.
        for (int i = 0; i < 10; i++) {
            assertThat(send(Caller.stream(false)).all()).last().isInstanceOf(Ended.class);
        }
        assertThat(written.get()).isLessThan(pieces);
        assertThat(caller.received.get()).isLessThan(pieces / 2);
        caller.with(WireCall::resume);

        assertThat(caller.all()).hasSize(pieces - 1 + 2).last().isEqualTo(new Ended(null));
    }

    @Test
    void whoGoesClosesTheConnectionBeforeAndAfterTheFirstToken() throws Exception {
        for (String first : new String[] {ROLE, says("Hi")}) {
            int closed = server.closed.get();
            server.next(request -> events(request, first));
            Caller caller = send(Caller.stream(false));
            server.request();
            if (!first.equals(ROLE)) {
                caller.chunk();
            }

            caller.with(WireCall::cancel);

            await().until(() -> server.closed.get() == closed + 1);
            assertThat(upstream().load()).isEqualTo(new Load(0, 0, 0));
        }
    }

    @Test
    void whoGoesBeforeThereIsAConnectionLeavesNothing() throws Exception {
        Upstream upstream = upstream();
        CompletableFuture<Load> load = new CompletableFuture<>();
        vertx.getOrCreateContext().runOnContext(nothing -> {
            WireCall call = upstream.forward(Caller.stream(false), event -> {
                throw new AssertionError(event);
            });
            call.cancel();
            call.cancel();
            load.complete(upstream.load());
        });

        assertThat(load.get()).isEqualTo(new Load(0, 0, 0));
        assertThat(send(Caller.stream(false)).all()).last().isEqualTo(new Ended(COUNTED));
    }

    @Test
    void whatIsUnderWayIsItsLoad() throws Exception {
        CountDownLatch asked = new CountDownLatch(2);
        List<HttpServerResponse> responses = Collections.synchronizedList(new ArrayList<>());
        server.always(request -> {
            responses.add(events(request, ROLE));
            asked.countDown();
        });
        Caller one = send(Caller.stream(false));
        Caller two = send(Caller.stream(false));
        asked.await();

        assertThat(upstream().load()).isEqualTo(new Load(0, 2, 0));
        responses.forEach(r -> r.write(event(says("Hi"))));
        one.chunk();
        two.chunk();
        assertThat(upstream().load()).isEqualTo(new Load(2, 0, 0));
        responses.forEach(r -> r.end(event(FINISH).appendBuffer(event("[DONE]"))));
        one.all();
        two.all();
        assertThat(upstream().load()).isEqualTo(new Load(0, 0, 0));
    }

    @Test
    void aThousandStreamsAtOnceAllComeToTheirEnd() throws Exception {
        int streams = 1000;
        AtomicInteger begun = new AtomicInteger();
        List<HttpServerResponse> open = Collections.synchronizedList(new ArrayList<>());
        server.always(request -> {
            open.add(events(request, says("Hi")));
            if (begun.incrementAndGet() == streams) {
                // All are under way: none waits for the end of another.
                open.forEach(r -> r.end(event(FINISH).appendBuffer(event("[DONE]"))));
            }
        });
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            callers.add(send(Caller.stream(false)));
        }

        for (Caller caller : callers) {
            assertThat(caller.all()).last().isEqualTo(new Ended(null));
        }
        assertThat(upstream().load()).isEqualTo(new Load(0, 0, 0));
    }

    @Test
    void theKeyIsInNoText() {
        assertThat(upstream().settings().toString()).doesNotContain("secret");
    }
}
