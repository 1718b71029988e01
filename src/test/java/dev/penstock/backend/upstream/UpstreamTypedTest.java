package dev.penstock.backend.upstream;

import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.Usage;
import dev.penstock.model.WireEvent.Broken;
import dev.penstock.model.WireEvent.Chunk;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import dev.penstock.model.WireRequest;
import dev.penstock.model.WireRequest.Endpoint;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Requests for responses and for Anthropic's messages, whose events bear types. */
class UpstreamTypedTest extends UpstreamFixture {
    private static final String CREATED = "{\"type\":\"response.created\",\"response\":{\"model\":\"theirs\"}}";
    private static final String DELTA = "{\"type\":\"response.output_text.delta\",\"delta\":\"Hi\",\"model\":\"x\"}";
    private static final String COMPLETED =
            "{\"type\":\"response.completed\",\"response\":{\"object\":\"response\",\"model\":"
                    + "\"theirs\",\"usage\":{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":2}}}";
    private static final String START =
            "{\"type\":\"message_start\",\"message\":{\"model\":\"theirs\",\"usage\":{\"input_tokens\":5,"
                    + "\"cache_read_input_tokens\":4,\"cache_creation_input_tokens\":3,\"output_tokens\":1}}}";
    private static final String TEXT =
            "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}";
    private static final String END = "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":7}}";
    private static final String STOP = "{\"type\":\"message_stop\"}";

    private static WireRequest request(Endpoint endpoint, boolean stream) {
        String body = "{\"model\":\"ours\",\"stream\":" + stream + "}";
        return new WireRequest(endpoint, body.getBytes(StandardCharsets.UTF_8), stream, false);
    }

    private static String ours(String json) {
        return json.replace("theirs", "ours");
    }

    @Test
    void aResponsesEventsComeUnderTheirNames() throws Exception {
        server.next(request -> events(request, CREATED, DELTA, COMPLETED).end());

        Caller caller = send(request(Endpoint.RESPONSES, true));

        for (String name : new String[] {"response.created", "response.output_text.delta", "response.completed"}) {
            assertThat(caller.next()).isInstanceOfSatisfying(Chunk.class, chunk -> {
                assertThat(chunk.name()).isEqualTo(name);
                assertThat(chunk.token()).isEqualTo(name.endsWith("delta"));
                assertThat(new String(chunk.json(), StandardCharsets.UTF_8)).doesNotContain("theirs");
            });
        }
        assertThat(caller.next()).isEqualTo(new Ended(new Usage(9, 4, 2)));
        FakeServer.Got got = server.request();
        assertThat(got.request().path()).isEqualTo("/v1/responses");
        assertThat(got.body()).isEqualTo("{\"model\":\"theirs\",\"stream\":true}");
    }

    @Test
    void aResponsesStreamIsOverWithItsLastEventThoughTheConnectionStays() throws Exception {
        server.next(request -> events(request, CREATED, DELTA, COMPLETED));

        assertThat(send(request(Endpoint.RESPONSES, true)).all())
                .containsExactly(
                        ours(CREATED),
                        DELTA.replace("\"x\"", "\"ours\""),
                        ours(COMPLETED),
                        new Ended(new Usage(9, 4, 2)));
    }

    @Test
    void whatFailsBeforeItsFirstTokenHasGivenNothing() throws Exception {
        server.next(request -> events(request, CREATED, "{\"type\":\"response.failed\",\"response\":{}}"));
        assertThat(send(request(Endpoint.RESPONSES, true)).all())
                .hasSize(1)
                .first()
                .isInstanceOf(Failed.class);

        server.next(request -> events(request, CREATED, "{\"type\":\"error\",\"message\":\"no\"}"));
        assertThat(send(request(Endpoint.RESPONSES, true)).all())
                .hasSize(1)
                .first()
                .isInstanceOf(Failed.class);

        server.next(request -> events(request, "{\"type\":\"a\\nevent: b\"}"));
        assertThat(send(request(Endpoint.RESPONSES, true)).all())
                .hasSize(1)
                .first()
                .isInstanceOf(Failed.class);
    }

    @Test
    void whatFailsAfterItBreaksOff() throws Exception {
        server.next(request -> events(request, CREATED, DELTA, "{\"type\":\"error\",\"message\":\"no\"}"));

        assertThat(send(request(Endpoint.RESPONSES, true)).all()).last().isInstanceOf(Broken.class);
    }

    @Test
    void aWholeResponseIsOne() throws Exception {
        String whole =
                "{\"object\":\"response\",\"model\":\"theirs\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}";
        server.next(request -> json(request, 200, whole));
        assertThat(send(request(Endpoint.RESPONSES, false)).all())
                .containsExactly(ours(whole), new Ended(new Usage(3, 0, 1)));

        server.next(request -> json(request, 200, "{\"object\":\"list\"}"));
        assertThat(send(request(Endpoint.RESPONSES, false)).all()).first().isInstanceOf(Failed.class);
    }

    @Test
    void messagesOfAnthropicsFormArePassedOn() throws Exception {
        server.next(request ->
                events(request, START, "{\"type\":\"ping\"}", TEXT, END, STOP).end());

        assertThat(send(request(Endpoint.MESSAGES, true)).all())
                .containsExactly(ours(START), "{\"type\":\"ping\"}", TEXT, END, STOP, new Ended(new Usage(12, 4, 7)));
        FakeServer.Got got = server.request();
        assertThat(got.request().path()).isEqualTo("/v1/messages");
        assertThat(got.request().getHeader("x-api-key")).isEqualTo("secret");
        assertThat(got.request().getHeader("anthropic-version")).isNotBlank();

        String whole =
                "{\"type\":\"message\",\"model\":\"theirs\",\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":2,\"output_tokens\":1}}";
        server.next(request -> json(request, 200, whole));
        assertThat(send(request(Endpoint.MESSAGES, false)).all())
                .containsExactly(ours(whole), new Ended(new Usage(5, 2, 1)));
    }
}
